/* The plain driver's common case in C: a request without cookies on an idle connection, and a
 * whole response whose head has been seen before. Everything else is handed back to Python
 * (plain.py), which can do all of it by itself where this module is not built.
 *
 * The state is that of the Python side: Connection below is connection.Connection with its fields
 * in a C struct, and the dictionaries and lists are the driver's own.
 */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>
#include <structmember.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

/* Mirrors of exchange.py, worker.js and connection.py. */
#define OPERATION_COLUMNS 8
#define COMPLETION_COLUMNS 20
#define COMPLETION_BATCH 1024
#define KIND_REQUEST 1
#define HTTP_1 11
/* The most that one TLS record holds. */
#define RECORD_BYTES 16384
#define READ_BYTES (64 << 10)

static PyObject *name_write, *name_take, *name_give, *name_read, *name_pending, *record_bytes;

typedef struct {
    PyObject_HEAD
    PyObject *origin, *request, *sock, *secure, *addresses, *outgoing, *incoming, *head, *message;
    /* The head that came last on this connection, and what is known of it. */
    PyObject *known_head, *known_facts;
    double deadline, started, looked_up, connected, secured, began, sent, first_byte;
    Py_ssize_t received, slot, series;
    int fd;
    char connecting, is_head, reused, retried;
} Connection;

static PyTypeObject ConnectionType;

static double now(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec * 1e-9;
}

/* ---- Connection ----------------------------------------------------------------------------- */

static PyObject *connection_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"origin", NULL};
    PyObject *origin;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O", names, &origin)) return NULL;
    Connection *self = (Connection *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->origin = Py_NewRef(origin);
    self->request = Py_NewRef(Py_None);
    self->sock = Py_NewRef(Py_None);
    self->secure = Py_NewRef(Py_None);
    self->outgoing = Py_NewRef(Py_None);
    self->incoming = Py_NewRef(Py_None);
    self->addresses = PyList_New(0);
    self->head = PyBytes_FromStringAndSize("", 0);
    self->message = PyBytes_FromStringAndSize("", 0);
    self->fd = -1;
    self->slot = self->series = -1;
    self->connecting = 1;
    if (self->addresses == NULL || self->head == NULL || self->message == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int connection_traverse(Connection *self, visitproc visit, void *arg) {
    Py_VISIT(self->origin);
    Py_VISIT(self->request);
    Py_VISIT(self->sock);
    Py_VISIT(self->secure);
    Py_VISIT(self->addresses);
    Py_VISIT(self->outgoing);
    Py_VISIT(self->incoming);
    Py_VISIT(self->head);
    Py_VISIT(self->message);
    Py_VISIT(self->known_head);
    Py_VISIT(self->known_facts);
    return 0;
}

static int connection_clear(Connection *self) {
    Py_CLEAR(self->origin);
    Py_CLEAR(self->request);
    Py_CLEAR(self->sock);
    Py_CLEAR(self->secure);
    Py_CLEAR(self->addresses);
    Py_CLEAR(self->outgoing);
    Py_CLEAR(self->incoming);
    Py_CLEAR(self->head);
    Py_CLEAR(self->message);
    Py_CLEAR(self->known_head);
    Py_CLEAR(self->known_facts);
    return 0;
}

static void connection_dealloc(Connection *self) {
    PyObject_GC_UnTrack(self);
    connection_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

#define FIELD(name, type) {#name, type, offsetof(Connection, name), 0, NULL}
static PyMemberDef connection_members[] = {
    FIELD(origin, T_OBJECT), FIELD(request, T_OBJECT), FIELD(sock, T_OBJECT),
    FIELD(secure, T_OBJECT), FIELD(addresses, T_OBJECT), FIELD(outgoing, T_OBJECT),
    FIELD(incoming, T_OBJECT), FIELD(head, T_OBJECT), FIELD(message, T_OBJECT),
    FIELD(deadline, T_DOUBLE), FIELD(started, T_DOUBLE), FIELD(looked_up, T_DOUBLE),
    FIELD(connected, T_DOUBLE), FIELD(secured, T_DOUBLE), FIELD(began, T_DOUBLE),
    FIELD(sent, T_DOUBLE), FIELD(first_byte, T_DOUBLE), FIELD(received, T_PYSSIZET),
    FIELD(slot, T_PYSSIZET), FIELD(series, T_PYSSIZET), FIELD(fd, T_INT),
    FIELD(connecting, T_BOOL), FIELD(is_head, T_BOOL), FIELD(reused, T_BOOL),
    FIELD(retried, T_BOOL), {NULL},
};

static PyTypeObject ConnectionType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "fusillade.engine.drivers._native.Connection",
    .tp_doc = "connection.Connection in C.",
    .tp_basicsize = sizeof(Connection),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = connection_new,
    .tp_traverse = (traverseproc)connection_traverse,
    .tp_clear = (inquiry)connection_clear,
    .tp_dealloc = (destructor)connection_dealloc,
    .tp_members = connection_members,
};

/* ---- requests ------------------------------------------------------------------------------- */

/* The template's head, a Content-Length and the body. */
static PyObject *with_body(PyObject *head, const char *body, Py_ssize_t length) {
    char line[48];
    int size = snprintf(line, sizeof line, "Content-Length: %zd\r\n\r\n", length);
    Py_ssize_t begin = PyBytes_GET_SIZE(head);
    PyObject *message = PyBytes_FromStringAndSize(NULL, begin + size + length);
    if (message == NULL) return NULL;
    char *out = PyBytes_AS_STRING(message);
    memcpy(out, PyBytes_AS_STRING(head), begin);
    memcpy(out + begin, line, size);
    memcpy(out + begin + size, body, length);
    return message;
}

/* What to send for a message; NULL (no exception set) when TLS does not want to. */
static PyObject *encrypted(Connection *connection) {
    PyObject *written =
        PyObject_CallMethodOneArg(connection->secure, name_write, connection->message);
    PyObject *payload = NULL;
    if (written != NULL) {
        Py_DECREF(written);
        payload = PyObject_CallMethodNoArgs(connection->secure, name_take);
    }
    if (payload == NULL) PyErr_Clear();
    return payload;
}

/* Sends; appends (connection, bytes sent or -1, payload) to `troubles` if not all of it went. */
static int send_message(Connection *connection, PyObject *troubles) {
    PyObject *payload;
    connection->began = now();
    if (connection->secure == Py_None) payload = Py_NewRef(connection->message);
    else payload = encrypted(connection);
    Py_ssize_t sent = -1, length = 0;
    if (payload != NULL) {
        length = PyBytes_GET_SIZE(payload);
        sent = send(connection->fd, PyBytes_AS_STRING(payload), length, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) sent = 0;
    }
    connection->sent = now();
    int failed = 0;
    if (sent < length || payload == NULL) {
        PyObject *trouble = Py_BuildValue("OnO", connection, sent, payload ? payload : Py_None);
        failed = trouble == NULL || PyList_Append(troubles, trouble) < 0;
        Py_XDECREF(trouble);
    }
    Py_XDECREF(payload);
    return failed ? -1 : 0;
}

PyDoc_STRVAR(submit_doc,
"submit(rows, index, count, data, offset, fast, under_way)\n"
"    -> (index, offset, earliest deadline, troubles)\n\n"
"Sends the requests of operations ``index`` and after, up to the first that is not a plain request\n"
"of a template in ``fast`` (number -> idle connections, request without body, head, is HEAD) with\n"
"an idle connection.");

static PyObject *submit(PyObject *module, PyObject *arguments) {
    Py_buffer rows, data;
    Py_ssize_t index, count, offset;
    PyObject *fast, *under_way;
    if (!PyArg_ParseTuple(arguments, "y*nny*nO!O!", &rows, &index, &count, &data, &offset,
                          &PyDict_Type, &fast, &PyDict_Type, &under_way))
        return NULL;
    PyObject *troubles = PyList_New(0), *result = NULL;
    double earliest = INFINITY;
    if (troubles == NULL) goto done;
    if (count > rows.len / (Py_ssize_t)(OPERATION_COLUMNS * sizeof(double))) {
        PyErr_SetString(PyExc_ValueError, "more operations than there are rows");
        goto done;
    }
    for (; index < count; index++) {
        const double *row = (const double *)rows.buf + index * OPERATION_COLUMNS;
        if (row[1] != KIND_REQUEST || row[6] > 0) break;
        PyObject *number = PyLong_FromDouble(row[2]);
        if (number == NULL) goto done;
        PyObject *entry = PyDict_GetItemWithError(fast, number);
        Py_DECREF(number);
        if (entry == NULL) {
            if (PyErr_Occurred()) goto done;
            break;
        }
        PyObject *idle = PyTuple_GET_ITEM(entry, 0);
        Py_ssize_t waiting = PyList_GET_SIZE(idle);
        if (waiting == 0) break;
        PyObject *last = PyList_GET_ITEM(idle, waiting - 1);
        if (!Py_IS_TYPE(last, &ConnectionType)) break;
        Connection *connection = (Connection *)Py_NewRef(last);
        PyObject *message, *slot = NULL;
        if (row[4] < 0) message = Py_NewRef(PyTuple_GET_ITEM(entry, 1));
        else {
            Py_ssize_t length = (Py_ssize_t)row[4];
            /* Compared as a number: one beyond Py_ssize_t would be anything after the cast. */
            if (!(row[4] <= (double)(data.len - offset))) {
                PyErr_SetString(PyExc_ValueError, "a body lies outside of the data");
                Py_DECREF(connection);
                goto done;
            }
            message = with_body(PyTuple_GET_ITEM(entry, 2), (char *)data.buf + offset, length);
            offset += length;
        }
        if (message == NULL || PyList_SetSlice(idle, waiting - 1, waiting, NULL) < 0 ||
            (slot = PyLong_FromDouble(row[0])) == NULL ||
            PyDict_SetItem(under_way, slot, (PyObject *)connection) < 0) {
            Py_XDECREF(message);
            Py_XDECREF(slot);
            Py_DECREF(connection);
            goto done;
        }
        Py_DECREF(slot);
        Py_SETREF(connection->message, message);
        connection->slot = (Py_ssize_t)row[0];
        connection->series = (Py_ssize_t)row[3];
        connection->is_head = PyTuple_GET_ITEM(entry, 3) == Py_True;
        connection->first_byte = 0;
        connection->received = 0;
        connection->started = now();
        connection->deadline = connection->started + row[5] / 1000;
        if (connection->deadline < earliest) earliest = connection->deadline;
        int failed = send_message(connection, troubles);
        Py_DECREF(connection);
        if (failed) goto done;
    }
    result = Py_BuildValue("nndO", index, offset, earliest, troubles);
done:
    Py_XDECREF(troubles);
    PyBuffer_Release(&rows);
    PyBuffer_Release(&data);
    return result;
}

/* ---- responses ------------------------------------------------------------------------------ */

typedef struct {
    double *completions;
    Py_ssize_t completed;
    char *in_bytes;
    Py_ssize_t in_used, in_capacity;
    PyObject *heads, *under_way;
} Batch;

/* What is known of the head of `length` bytes: a borrowed tuple, or NULL. */
static PyObject *facts_of(Connection *connection, Batch *batch, const char *data,
                          Py_ssize_t length) {
    PyObject *known = connection->known_head;
    if (known != NULL && PyBytes_GET_SIZE(known) == length &&
        memcmp(PyBytes_AS_STRING(known), data, length) == 0)
        return connection->known_facts;
    PyObject *head = PyBytes_FromStringAndSize(data, length);
    if (head == NULL) return NULL;
    PyObject *facts = PyDict_GetItemWithError(batch->heads, head);
    if (facts != NULL) {
        Py_XSETREF(connection->known_head, Py_NewRef(head));
        Py_XSETREF(connection->known_facts, Py_NewRef(facts));
    }
    Py_DECREF(head);
    return facts;
}

static int is_ascii(const char *data, Py_ssize_t length) {
    unsigned char all = 0;
    for (Py_ssize_t i = 0; i < length; i++) all |= (unsigned char)data[i];
    return all < 128;
}

/* Takes `data` if it is a whole response with a known head: 1 done, 0 not for us, -1 exception. */
static int complete(Connection *connection, Batch *batch, const char *data, Py_ssize_t length,
                    double arrived) {
    if (batch->completed >= COMPLETION_BATCH || length > batch->in_capacity - batch->in_used)
        return 0;
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    Py_ssize_t head_length = end - data + 4;
    PyObject *facts = facts_of(connection, batch, data, head_length);
    if (facts == NULL) return PyErr_Occurred() ? -1 : 0;
    Py_ssize_t body_length = PyLong_AsSsize_t(PyTuple_GET_ITEM(facts, 1));
    if (length != head_length + body_length) return 0;
    PyObject *idle = NULL, *slot = PyLong_FromSsize_t(connection->slot);
    if (slot == NULL || PyDict_DelItem(batch->under_way, slot) < 0 ||
        (idle = PyObject_GetAttrString(connection->origin, "idle")) == NULL ||
        PyList_Append(idle, (PyObject *)connection) < 0) {
        Py_XDECREF(slot);
        Py_XDECREF(idle);
        return -1;
    }
    Py_DECREF(slot);
    Py_DECREF(idle);
    double began = connection->began, sent = connection->sent;
    double *row = batch->completions + batch->completed * COMPLETION_COLUMNS;
    row[0] = (double)connection->slot;
    row[1] = HTTP_1;
    row[2] = (double)connection->series;
    row[3] = (double)PyLong_AsLong(PyTuple_GET_ITEM(facts, 0));
    row[4] = 0;
    row[5] = (arrived - began) * 1000;
    if (connection->reused) {
        row[6] = (began - connection->started) * 1000;
        row[7] = row[8] = 0;
    } else {
        row[6] = (connection->looked_up - connection->started) * 1000;
        row[7] = (connection->connected - connection->looked_up) * 1000;
        row[8] = (connection->secured - connection->connected) * 1000;
    }
    row[9] = (sent - began) * 1000;
    row[10] = (arrived - sent) * 1000;
    row[11] = 0;
    row[12] = (double)PyBytes_GET_SIZE(connection->message);
    row[13] = (double)length;
    row[14] = connection->reused;
    row[15] = (double)batch->in_used;
    row[16] = (double)head_length;
    row[17] = (double)body_length;
    row[18] = PyTuple_GET_ITEM(facts, 2) == Py_True;
    row[19] = is_ascii(data, length);
    memcpy(batch->in_bytes + batch->in_used, data, length);
    batch->in_used += length;
    batch->completed++;
    connection->slot = -1;
    connection->reused = 1;
    return 1;
}

/* Whether all that came has been decrypted. */
static int nothing_pending(PyObject *secure) {
    PyObject *pending = PyObject_GetAttr(secure, name_pending);
    if (pending == NULL) return -1;
    int none = PyLong_AsLong(pending) == 0;
    Py_DECREF(pending);
    return none;
}

/* What an encrypted connection has received: 1 taken, 0 handed to Python in *rest, -1 exception. */
static int complete_encrypted(Connection *connection, Batch *batch, const char *data,
                              Py_ssize_t length, double arrived, PyObject **rest) {
    PyObject *raw = PyBytes_FromStringAndSize(data, length);
    if (raw == NULL) return -1;
    PyObject *given = PyObject_CallMethodOneArg(connection->secure, name_give, raw);
    Py_DECREF(raw);
    if (given == NULL) return -1;
    Py_DECREF(given);
    PyObject *text = PyObject_CallMethodOneArg(connection->secure, name_read, record_bytes);
    if (text == NULL) {
        /* Nothing whole yet, or no TLS at all: Python asks again and sees which. */
        PyErr_Clear();
        *rest = PyBytes_FromStringAndSize("", 0);
        return *rest == NULL ? -1 : 0;
    }
    int whole = nothing_pending(connection->secure);
    if (whole > 0)
        whole = complete(connection, batch, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text),
                         arrived);
    if (whole == 0) *rest = text;
    else Py_DECREF(text);
    return whole;
}

static int is_common(Connection *connection) {
    return !connection->connecting && connection->slot >= 0 && !connection->is_head &&
           connection->outgoing == Py_None && connection->incoming == Py_None &&
           connection->first_byte == 0;
}

static int hand_over(PyObject *slow, long fd, long event, PyObject *data, double arrived) {
    PyObject *entry = Py_BuildValue("llOd", fd, event, data, arrived);
    int failed = entry == NULL || PyList_Append(slow, entry) < 0;
    Py_XDECREF(entry);
    return failed ? -1 : 0;
}

PyDoc_STRVAR(poll_doc,
"poll(epoll, connections, heads, under_way, completions, completed, in_bytes, in_used)\n"
"    -> (completed, in_used, number of events, slow)\n\n"
"Takes what has come on the sockets of an epoll. ``slow`` has what is left to Python: (descriptor,\n"
"event, what was received or None, when); of an encrypted connection, what was received has been\n"
"given to ``secure``, and this is what it has said so far.");

static PyObject *poll_events(PyObject *module, PyObject *arguments) {
    static struct epoll_event events[COMPLETION_BATCH];
    static char data[READ_BYTES];
    int epoll;
    PyObject *connections, *slow = NULL, *result = NULL;
    Py_buffer completions, in_bytes;
    Batch batch;
    if (!PyArg_ParseTuple(arguments, "iO!O!O!w*nw*n", &epoll, &PyDict_Type, &connections,
                          &PyDict_Type, &batch.heads, &PyDict_Type, &batch.under_way,
                          &completions, &batch.completed, &in_bytes, &batch.in_used))
        return NULL;
    batch.completions = completions.buf;
    batch.in_bytes = in_bytes.buf;
    batch.in_capacity = in_bytes.len;
    Py_ssize_t room = COMPLETION_BATCH - batch.completed;
    int count = epoll_wait(epoll, events, room < 1 ? 1 : (int)room, 0);
    if (count < 0) count = 0;
    slow = PyList_New(0);
    if (slow == NULL) goto done;
    for (int i = 0; i < count; i++) {
        long fd = events[i].data.fd, event = events[i].events;
        PyObject *number = PyLong_FromLong(fd);
        if (number == NULL) goto done;
        PyObject *found = PyDict_GetItemWithError(connections, number);
        Py_DECREF(number);
        if (found == NULL && PyErr_Occurred()) goto done;
        if (found == NULL || !Py_IS_TYPE(found, &ConnectionType) || event != EPOLLIN ||
            !is_common((Connection *)found)) {
            if (hand_over(slow, fd, event, Py_None, 0) < 0) goto done;
            continue;
        }
        Connection *connection = (Connection *)Py_NewRef(found);
        Py_ssize_t length = recv((int)fd, data, sizeof data, 0);
        double arrived = now();
        int outcome;
        PyObject *rest = NULL;
        if (length < 0) {
            /* Another look shows the error again, or that there is nothing to read. */
            outcome = errno == EAGAIN || errno == EWOULDBLOCK ? 1 : 0;
            if (outcome == 0) rest = Py_NewRef(Py_None);
        } else if (length == 0) {
            outcome = 0;
            rest = Py_NewRef(Py_False);
        } else if (connection->secure == Py_None) {
            outcome = complete(connection, &batch, data, length, arrived);
            if (outcome == 0) rest = PyBytes_FromStringAndSize(data, length);
        } else outcome = complete_encrypted(connection, &batch, data, length, arrived, &rest);
        Py_DECREF(connection);
        if (outcome == 0 && rest != NULL) outcome = hand_over(slow, fd, event, rest, arrived);
        else if (outcome == 0) outcome = -1;
        Py_XDECREF(rest);
        if (outcome < 0) goto done;
    }
    result = Py_BuildValue("nniO", batch.completed, batch.in_used, count, slow);
done:
    Py_XDECREF(slow);
    PyBuffer_Release(&completions);
    PyBuffer_Release(&in_bytes);
    return result;
}

static PyMethodDef methods[] = {
    {"submit", submit, METH_VARARGS, submit_doc},
    {"poll", poll_events, METH_VARARGS, poll_doc},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "The plain driver's common case in C.", -1, methods,
};

PyMODINIT_FUNC PyInit__native(void) {
    if (PyType_Ready(&ConnectionType) < 0) return NULL;
    name_write = PyUnicode_InternFromString("write");
    name_take = PyUnicode_InternFromString("take");
    name_give = PyUnicode_InternFromString("give");
    name_read = PyUnicode_InternFromString("read");
    name_pending = PyUnicode_InternFromString("pending");
    record_bytes = PyLong_FromLong(RECORD_BYTES);
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddObjectRef(module, "Connection",
                                                (PyObject *)&ConnectionType) < 0)
        Py_CLEAR(module);
    return module;
}
