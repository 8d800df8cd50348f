/* The loop of hyperlambda/server/sending.py in C, for the accelerated form: it takes a tenth off the time that
 * a message to many takes, nearly all of which is the system's. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <sys/socket.h>
#include <sys/types.h>

PyDoc_STRVAR(send_all_doc,
"send_all(outlets, data, size, flags)\n\n"
"Send the first bytes of data to each of many sockets, the lock held; see `SendAll`.");

/* Return what each has taken of data, from the first on: those before had all of it. */
static PyObject *
counts(const int *outlets, Py_ssize_t number, Py_ssize_t first, ssize_t taken,
       const void *data, size_t size, int flags)
{
    PyObject *found = PyList_New(number);
    if (found == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < number; i++) {
        if (i > first) {
            taken = send(outlets[i], data, size, flags);
        }
        PyObject *count = PyLong_FromSsize_t(i < first ? (Py_ssize_t)size : taken);
        if (count == NULL) {
            Py_DECREF(found);
            return NULL;
        }
        PyList_SET_ITEM(found, i, count);
    }
    return found;
}

static PyObject *
send_all(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer outlets, data;
    Py_ssize_t size;
    int flags;
    if (!PyArg_ParseTuple(args, "y*y*ni", &outlets, &data, &size, &flags)) {
        return NULL;
    }
    PyObject *found = NULL;
    if (size < 0 || size > data.len || outlets.itemsize != sizeof(int)) {
        PyErr_SetString(PyExc_ValueError, "outlets are C ints, and size is part of data");
        goto done;
    }
    const int *each = outlets.buf;
    Py_ssize_t number = outlets.len / (Py_ssize_t)sizeof(int);
    for (Py_ssize_t i = 0; i < number; i++) {
        ssize_t taken = send(each[i], data.buf, (size_t)size, flags);
        if (taken != size) {
            found = counts(each, number, i, taken, data.buf, (size_t)size, flags);
            goto done;
        }
    }
    found = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&outlets);
    PyBuffer_Release(&data);
    return found;
}

static PyMethodDef methods[] = {
    {"send_all", send_all, METH_VARARGS, send_all_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_sending", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__sending(void)
{
    return PyModuleDef_Init(&definition);
}
