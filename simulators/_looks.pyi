from array import array

from simulators.looks import Counted
from simulators.slots import Slots

def look_until(
    slots: Slots,
    contenders: array[int],
    databases: int,
    next_ns: int,
    period_ns: int,
    until_ns: int,
    bell: int,
    queues: array[int],
    /,
) -> Counted: ...
