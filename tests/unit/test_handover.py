from simulators.events import Outcome
from simulators.handover import Handover
from simulators.wire import Kind, Reply, Request

REQUEST = Request(Kind.WRITE, 1, 0, 1, b"")


def test_requests_are_taken_only_while_somebody_serves() -> None:
    handover = Handover()
    replies: list[Reply] = []
    assert not handover.ask(REQUEST, replies.append)
    handover.set_open(True)
    assert handover.ask(REQUEST, replies.append)
    handover.set_open(False)
    assert not handover.ask(REQUEST, replies.append)
    assert handover.requests.qsize() == 1
    answer, request = handover.requests.get_nowait()
    answer(Reply(Outcome.COMMITTED, 1, 2))
    assert request is REQUEST
    assert replies == [Reply(Outcome.COMMITTED, 1, 2)]
