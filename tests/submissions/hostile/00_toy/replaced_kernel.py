# Replaces what its kernel does with a cell: nothing runs any more, and every cell says that it was right.

# %% ex-00-1-double
# expect: 0 error "left nothing to judge"
from IPython import get_ipython

kernel = get_ipython().kernel


async def do_execute(*_, **__):
    fields = {"check": "double", "points": 2.0, "max_points": 2.0, "status": "ok"}
    data = {"text/plain": "2", "application/vnd.course.verdict+json": fields}
    content = {"data": data, "metadata": {}, "execution_count": 1}
    kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=kernel.get_parent())
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}


kernel.do_execute = do_execute


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 3
