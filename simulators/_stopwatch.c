/* What every transaction costs the instrument, without the interpreter: see stopwatch.py, which says what each method
   means and does the same in Python where this file could not be compiled. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <structmember.h>
#include <time.h>

#ifndef __linux__
#error "Only on Linux is time.monotonic_ns() known to read the clock that this file reads."
#endif

#define BINS 512
#define SHIFT 7

typedef struct {
    PyObject_HEAD
    Py_buffer words;
    int counts;
    long long due_ns, asked_ns, got_ns, released_ns;
    uint32_t waits[BINS], holds[BINS], latencies[BINS];
} Stopwatch;

static inline long long now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Store a transaction's number in one of the two words; other processes read it at any time. */
static inline int tell(Stopwatch *self, int word, PyObject *number)
{
    long long value = PyLong_AsLongLong(number);
    if (value == -1 && PyErr_Occurred())
        return -1;
    __atomic_store_n((int64_t *)self->words.buf + word, (int64_t)value, __ATOMIC_RELEASE);
    return 0;
}

static PyObject *start(Stopwatch *self, PyObject *args)
{
    if (!PyArg_ParseTuple(args, "LL:start", &self->due_ns, &self->asked_ns))
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *ask(Stopwatch *self, PyObject *Py_UNUSED(ignored))
{
    self->asked_ns = now_ns();
    Py_RETURN_NONE;
}

static PyObject *got(Stopwatch *self, PyObject *number)
{
    self->got_ns = now_ns();
    if (tell(self, 0, number) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *done(Stopwatch *self, PyObject *number)
{
    long long released_ns = now_ns();
    self->released_ns = released_ns;
    if (tell(self, 1, number) < 0)
        return NULL;
    uint64_t latency = (uint64_t)(released_ns - self->due_ns) >> SHIFT;
    uint64_t wait = (uint64_t)(self->got_ns - self->asked_ns) >> SHIFT;
    uint64_t hold = (uint64_t)(released_ns - self->got_ns) >> SHIFT;
    if (!self->counts || latency >= BINS || wait >= BINS || hold >= BINS)
        Py_RETURN_FALSE;
    self->latencies[latency]++;
    self->waits[wait]++;
    self->holds[hold]++;
    self->due_ns = self->asked_ns = released_ns;
    Py_RETURN_TRUE;
}

/* Return the counts of a histogram as a list and empty it. */
static PyObject *emptied(uint32_t *counts)
{
    PyObject *list = PyList_New(BINS);
    if (list == NULL)
        return NULL;
    for (Py_ssize_t bin = 0; bin < BINS; bin++) {
        PyObject *count = PyLong_FromUnsignedLong(counts[bin]);
        if (count == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, bin, count);
    }
    memset(counts, 0, BINS * sizeof *counts);
    return list;
}

static PyObject *take(Stopwatch *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *waits = emptied(self->waits), *holds = emptied(self->holds), *latencies = emptied(self->latencies);
    PyObject *all = waits && holds && latencies ? PyTuple_Pack(3, waits, holds, latencies) : NULL;
    Py_XDECREF(waits);
    Py_XDECREF(holds);
    Py_XDECREF(latencies);
    return all;
}

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"words", "counts", NULL};
    PyObject *words;
    int counts;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O$p:Stopwatch", names, &words, &counts))
        return NULL;
    Stopwatch *self = (Stopwatch *)type->tp_alloc(type, 0); /* zeroed */
    if (self == NULL)
        return NULL;
    self->counts = counts;
    if (PyObject_GetBuffer(words, &self->words, PyBUF_WRITABLE) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (self->words.len < (Py_ssize_t)(2 * sizeof(int64_t)) || (uintptr_t)self->words.buf % sizeof(int64_t) != 0) {
        Py_DECREF(self);
        PyErr_SetString(PyExc_ValueError, "two aligned 64-bit words are needed");
        return NULL;
    }
    return (PyObject *)self;
}

static void dispose(Stopwatch *self)
{
    if (self->words.obj != NULL)
        PyBuffer_Release(&self->words);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"start", (PyCFunction)start, METH_VARARGS, NULL}, {"ask", (PyCFunction)ask, METH_NOARGS, NULL},
    {"got", (PyCFunction)got, METH_O, NULL},           {"done", (PyCFunction)done, METH_O, NULL},
    {"take", (PyCFunction)take, METH_NOARGS, NULL},    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"due_ns", T_LONGLONG, offsetof(Stopwatch, due_ns), READONLY, NULL},
    {"asked_ns", T_LONGLONG, offsetof(Stopwatch, asked_ns), READONLY, NULL},
    {"got_ns", T_LONGLONG, offsetof(Stopwatch, got_ns), READONLY, NULL},
    {"released_ns", T_LONGLONG, offsetof(Stopwatch, released_ns), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "simulators._stopwatch.Stopwatch",
    .tp_basicsize = sizeof(Stopwatch),
    .tp_dealloc = (destructor)dispose,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = methods,
    .tp_members = members,
    .tp_new = create,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_stopwatch", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__stopwatch(void)
{
    PyObject *self = PyType_Ready(&type) < 0 ? NULL : PyModule_Create(&module);
    if (self != NULL && PyModule_AddObjectRef(self, "Stopwatch", (PyObject *)&type) < 0)
        Py_CLEAR(self);
    return self;
}
