"""The end of a server's process.

A call that judges a configuration runs in a thread, and Python waits for its threads before it ends. A client that has left,
or a service manager that has asked us to stop, waits for nobody: such a thread has written nothing that could be half done.
"""

import asyncio
import logging
import os
import sys
from contextlib import suppress

THREADS_SECONDS = 1.0
"""How long threads may go on after everything else has ended."""


async def end_threads(code: int) -> None:
    """The last act inside the event loop: returns when the loop's threads have ended, else ends the process with `code`.

    Nothing after it runs in the second case, so every worker, socket and file must be closed before.
    """
    ending = asyncio.ensure_future(asyncio.get_running_loop().shutdown_default_executor())
    # Not cancelled when it takes too long: it would wait for the threads then, in the loop's own thread.
    done, _ = await asyncio.wait({ending}, timeout=THREADS_SECONDS)
    if done:
        return
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    os._exit(code)
