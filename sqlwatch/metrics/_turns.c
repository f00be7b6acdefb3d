/* Who got the write lock after whom, of thousands of transactions a second: see turns.py, which says what is counted and
   does the same in Python where this file could not be compiled. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* The words of a packed transaction, as simulators/transactions.py lays them out. */
enum { GOT_NS = 3, WORDS = 8 };

enum { WORKERS = 2048 };

typedef struct {
    int64_t got_ns;
    int64_t worker;
} Turn;

static inline int is_before(const Turn *one, const Turn *other)
{
    return one->got_ns != other->got_ns ? one->got_ns < other->got_ns : one->worker < other->worker;
}

/* Return where a run of turns in their order ends that begins at `first`. */
static Py_ssize_t end_of_run(const Turn *turns, Py_ssize_t first, Py_ssize_t count)
{
    Py_ssize_t end = first + 1;
    while (end < count && !is_before(turns + end, turns + end - 1))
        end++;
    return end;
}

/* Merge each two neighbouring runs of `from` in `to`; return whether it is in order now.  Each worker's turns come in
   their order, so there are few runs and few rounds of this. */
static int merge_runs(const Turn *from, Turn *to, Py_ssize_t count)
{
    Py_ssize_t merged = 0;
    for (Py_ssize_t first = 0; first < count; merged++) {
        Py_ssize_t left = first, middle = end_of_run(from, first, count);
        Py_ssize_t right = middle, end = middle < count ? end_of_run(from, middle, count) : count;
        for (Py_ssize_t place = first; place < end; place++)
            to[place] = right == end || (left < middle && !is_before(from + right, from + left)) ? from[left++]
                                                                                                  : from[right++];
        first = end;
    }
    return merged <= 1;
}

/* Return how many turns the parts have, or -1 with an exception. */
static Py_ssize_t count_turns(PyObject *parts)
{
    Py_ssize_t turns = 0;
    for (Py_ssize_t number = 0; number < PyList_GET_SIZE(parts); number++) {
        char *packed;
        Py_ssize_t size;
        PyObject *part = PyList_GET_ITEM(parts, number);
        if (!PyTuple_Check(part) || PyTuple_GET_SIZE(part) != 2) {
            PyErr_SetString(PyExc_TypeError, "a part is packed transactions and a worker");
            return -1;
        }
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(part, 0), &packed, &size) < 0)
            return -1;
        turns += size / (Py_ssize_t)(WORDS * sizeof(int64_t));
    }
    return turns;
}

/* Write down the turns of all parts, in their order; return 0, or -1 with an exception. */
static int list_turns(PyObject *parts, Turn *turns)
{
    for (Py_ssize_t number = 0; number < PyList_GET_SIZE(parts); number++) {
        PyObject *part = PyList_GET_ITEM(parts, number), *packed = PyTuple_GET_ITEM(part, 0);
        const char *record = PyBytes_AS_STRING(packed);
        Py_ssize_t records = PyBytes_GET_SIZE(packed) / (Py_ssize_t)(WORDS * sizeof(int64_t));
        long worker = PyLong_AsLong(PyTuple_GET_ITEM(part, 1));
        if (worker == -1 && PyErr_Occurred())
            return -1;
        if (worker < 1 || worker >= WORKERS) {
            PyErr_SetString(PyExc_ValueError, "there is no worker of that number");
            return -1;
        }
        for (; records > 0; records--, record += WORDS * sizeof(int64_t), turns++) {
            memcpy(&turns->got_ns, record + GOT_NS * sizeof(int64_t), sizeof(int64_t));
            turns->worker = worker;
        }
    }
    return 0;
}

static PyObject *longest_of(const long long *longest)
{
    PyObject *found = PyDict_New();
    for (long worker = 1; found != NULL && worker < WORKERS; worker++) {
        if (!longest[worker])
            continue;
        PyObject *key = PyLong_FromLong(worker), *value = PyLong_FromLongLong(longest[worker]);
        if (key == NULL || value == NULL || PyDict_SetItem(found, key, value) < 0)
            Py_CLEAR(found);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return found;
}

static PyObject *judge(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *parts;
    long long winner, length, runs = 0;
    if (!PyArg_ParseTuple(args, "O!LL:judge", &PyList_Type, &parts, &winner, &length))
        return NULL;
    if (winner < 0 || winner >= WORKERS) {
        PyErr_SetString(PyExc_ValueError, "there is no worker of that number");
        return NULL;
    }
    Py_ssize_t count = count_turns(parts);
    if (count < 0)
        return NULL;
    long long longest[WORKERS] = {0};
    Turn *room = PyMem_New(Turn, (size_t)count * 2 + 1), *turns = room, *other = room + count;
    if (room == NULL)
        return PyErr_NoMemory();
    if (list_turns(parts, turns) < 0) {
        PyMem_Free(room);
        return NULL;
    }
    for (int is_in_order = 0; !is_in_order;) {
        is_in_order = merge_runs(turns, other, count);
        Turn *merged = other;
        other = turns;
        turns = merged;
    }
    for (Py_ssize_t number = 0; number < count; number++) {
        if (turns[number].worker == winner) {
            length++;
        } else {
            winner = turns[number].worker;
            length = 1;
            runs++;
        }
        if (length > longest[winner])
            longest[winner] = length;
    }
    PyMem_Free(room);
    PyObject *found = longest_of(longest);
    return found != NULL ? Py_BuildValue("nLLLN", count, runs, winner, length, found) : NULL;
}

static PyMethodDef functions[] = {{"judge", judge, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_turns", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__turns(void)
{
    return PyModule_Create(&module);
}
