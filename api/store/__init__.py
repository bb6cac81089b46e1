"""What a server remembers: jobs and reports of closures, in one SQLite file or in PostgreSQL."""

from .backends import STORE_NAME as STORE_NAME
from .backends import open_store as open_store
from .backends import usual_place as usual_place
from .errors import ClosuresFullError as ClosuresFullError
from .errors import QueueFullError as QueueFullError
from .errors import StoreBusyError as StoreBusyError
from .errors import StoreError as StoreError
from .protocol import Store as Store
from .records import LIVE as LIVE
from .records import ClosureReport as ClosureReport
from .records import Job as Job
from .records import JobFile as JobFile
from .records import Note as Note
from .records import StoredClosure as StoredClosure
