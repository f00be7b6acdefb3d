/* Two hundred looks a second at the slots, without the interpreter: see looks.py, which says what is counted and does the
   same in Python where this file could not be compiled. */

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>

#ifndef __linux__
#error "Only on Linux is time.monotonic_ns() known to read the clock that this file reads."
#endif

/* The words of a slot, as slots.py lays them out. */
enum { GOT = 0, DONE = 1, WAITING_SINCE_NS = 2, ACTIVITY = 7, SLOT_WORDS = 12 };

/* What a contender does, and an activity, as looks.py and slots.py have them. */
enum { TAKES = 1, ASKS = 2, CHECKPOINTS = 4, CHECKPOINTING = 2 };

/* Bytes in a queue from which it counts as filling up, as looks.py has them. */
enum { MUCH = 44 * 1024 };

/* What a look saw of one database. */
enum { HELD = 1, WANTED = 2, UNSEEN = 4 };

typedef struct {
    int64_t slot, database, does;
} Contender;

typedef struct {
    const int64_t *slots;
    const Contender *contenders;
    Py_ssize_t count, databases;
    unsigned char *seen;
    long long *held, *wasted, looks;
} Looks;

static inline long long now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Sleep, less if the bell is heard; return whether it is.  A bell of -1 never is. */
static int sleep_until(long long at_ns, int bell)
{
    struct pollfd heard = {bell, POLLIN, 0};
    int ready;
    do {
        long long left_ns = at_ns - now_ns();
        if (left_ns < 0)
            left_ns = 0;
        struct timespec left = {left_ns / 1000000000LL, left_ns % 1000000000LL};
        ready = ppoll(&heard, 1, &left, NULL);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* Other processes write the words at any time. */
static inline int64_t word(const int64_t *slot, int number)
{
    return __atomic_load_n(slot + number, __ATOMIC_ACQUIRE);
}

static void look(Looks *self)
{
    memset(self->seen, 0, (size_t)self->databases);
    for (Py_ssize_t number = 0; number < self->count; number++) {
        const Contender *contender = self->contenders + number;
        const int64_t *slot = self->slots + contender->slot * SLOT_WORDS;
        unsigned char *seen = self->seen + contender->database;
        if (contender->does & CHECKPOINTS) {
            if (word(slot, ACTIVITY) == CHECKPOINTING)
                *seen |= UNSEEN;
        } else if (word(slot, GOT) > word(slot, DONE)) {
            if (contender->does & TAKES)
                *seen |= HELD;
        } else if ((contender->does & ASKS) && word(slot, WAITING_SINCE_NS)) {
            *seen |= WANTED;
        }
    }
    for (Py_ssize_t database = 0; database < self->databases; database++) {
        self->held[database] += (self->seen[database] & HELD) != 0;
        self->wasted[database] += self->seen[database] == WANTED;
    }
    self->looks++;
}

static int is_filling_up(const int *queues, Py_ssize_t count)
{
    for (Py_ssize_t number = 0; number < count; number++) {
        int waiting = 0;
        if (ioctl(queues[number], FIONREAD, &waiting) == 0 && waiting >= MUCH)
            return 1;
    }
    return 0;
}

static int is_in_bounds(const Looks *self, Py_ssize_t slots)
{
    for (Py_ssize_t number = 0; number < self->count; number++) {
        const Contender *contender = self->contenders + number;
        if (contender->slot < 0 || contender->slot >= slots || contender->database < 0 ||
            contender->database >= self->databases)
            return 0;
    }
    return 1;
}

static PyObject *listed(const long long *counts, Py_ssize_t length)
{
    PyObject *list = PyList_New(length);
    for (Py_ssize_t number = 0; list != NULL && number < length; number++) {
        PyObject *count = PyLong_FromLongLong(counts[number]);
        if (count == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, number, count);
    }
    return list;
}

static PyObject *look_until(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer slots, contenders, queues;
    Looks self = {0};
    long long next_ns, period_ns, until_ns;
    int bell, is_called = 0;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nLLLiy*:look_until", &slots, &contenders, &self.databases, &next_ns, &period_ns,
                          &until_ns, &bell, &queues))
        return NULL;
    self.slots = slots.buf;
    self.contenders = contenders.buf;
    self.count = contenders.len / (Py_ssize_t)sizeof(Contender);
    if (self.databases < 1 || period_ns < 1 || (uintptr_t)slots.buf % sizeof(int64_t) ||
        (self.count && (uintptr_t)contenders.buf % sizeof(int64_t)) ||
        !is_in_bounds(&self, slots.len / (Py_ssize_t)(SLOT_WORDS * sizeof(int64_t)))) {
        PyErr_SetString(PyExc_ValueError, "a contender has no such slot or database, or a number is not positive");
        goto end;
    }
    size_t databases = (size_t)self.databases;
    self.seen = PyMem_Calloc(databases, 1);
    self.held = PyMem_Calloc(databases, sizeof *self.held);
    self.wasted = PyMem_Calloc(databases, sizeof *self.wasted);
    if (self.seen == NULL || self.held == NULL || self.wasted == NULL) {
        PyErr_NoMemory();
        goto end;
    }
    Py_BEGIN_ALLOW_THREADS
    while (next_ns < until_ns && !(is_called = sleep_until(next_ns, bell))) {
        look(&self);
        long long looked_ns = now_ns();
        next_ns = next_ns + period_ns > looked_ns ? next_ns + period_ns : looked_ns;
        if ((is_called = is_filling_up(queues.buf, queues.len / (Py_ssize_t)sizeof(int))))
            break;
    }
    if (!is_called)
        is_called = sleep_until(until_ns, bell);
    Py_END_ALLOW_THREADS
    PyObject *held = listed(self.held, self.databases), *wasted = listed(self.wasted, self.databases);
    if (held != NULL && wasted != NULL)
        result = Py_BuildValue("LLOOO", next_ns, self.looks, held, wasted, is_called ? Py_True : Py_False);
    Py_XDECREF(held);
    Py_XDECREF(wasted);
end:
    PyMem_Free(self.seen);
    PyMem_Free(self.held);
    PyMem_Free(self.wasted);
    PyBuffer_Release(&queues);
    PyBuffer_Release(&contenders);
    PyBuffer_Release(&slots);
    return result;
}

static PyMethodDef functions[] = {{"look_until", look_until, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_looks", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__looks(void)
{
    return PyModule_Create(&module);
}
