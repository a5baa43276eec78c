"""Statements of the hot paths: compiled once, then run on the driver itself.

SQLAlchemy looks up, binds and wraps anew each time that a statement is executed: 40 µs, where
SQLite needs 2. A `Prepared` keeps what comes of that: the text, how each parameter becomes what the
database stores, and how each column comes back. The statements are Core ones on the tables, as
everywhere; only a list of any length has to be given another way (see `database.among`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError

_Processor = Callable[[Any], Any]


class Prepared:
    """One statement with named parameters, for connections that are in a transaction."""

    def __init__(self, statement: ClauseElement, columns: Sequence[str] = ()) -> None:
        """
        Args:
            columns: of an INSERT or UPDATE: those whose values are parameters, by their own names.
        """
        self._statement, self._columns = statement, columns
        self._forms: dict[type, _Form] = {}  # by what writes out the text for a dialect

    def run(self, connection: Connection, **given: Any) -> int:
        """Execute it; how many rows were changed."""
        form = self._form(connection)
        return int(_execute(connection, form.text, form.bound(given)).rowcount)

    def run_all(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute it for each of these parameters."""
        form = self._form(connection)
        values = [form.bound(row) for row in rows]
        if values:
            _execute(connection, form.text, values, many=True)

    def tuples(self, connection: Connection, **given: Any) -> list[tuple[Any, ...]]:
        """The rows that it selects, or returns."""
        form = self._form(connection)
        return form.results_of(_execute(connection, form.text, form.bound(given)).fetchall())

    def rows(self, connection: Connection, **given: Any) -> list[dict[str, Any]]:
        """The rows that it selects, or returns, by the names of their columns."""
        names = self._form(connection).names
        return [dict(zip(names, row, strict=True)) for row in self.tuples(connection, **given)]

    def scalars(self, connection: Connection, **given: Any) -> list[Any]:
        """The first column of these rows."""
        return [row[0] for row in self.tuples(connection, **given)]

    def scalar(self, connection: Connection, **given: Any) -> Any:
        """The first column of the first row; None when there is no row."""
        found = self.tuples(connection, **given)
        return found[0][0] if found else None

    def _form(self, connection: Connection) -> _Form:
        dialect = connection.dialect
        form = self._forms.get(dialect.statement_compiler)
        if form is None:
            form = _Form(self._statement, dialect, self._columns)
            self._forms[dialect.statement_compiler] = form
        return form


class _Form:
    """A statement as one dialect says it."""

    __slots__ = ("_parameters", "_results", "names", "text")

    def __init__(self, statement: ClauseElement, dialect: Dialect, columns: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        if compiled.post_compile_params:
            raise TypeError(f"a list of any length cannot be prepared: {compiled}")
        self.text: str = compiled.string
        constants = {
            name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required
        }
        constants |= {column.key: column.default.arg for column in compiled.prefetch}
        self._parameters = [
            _Parameter(name, compiled._bind_processors.get(name), constants)
            for name in compiled.positiontup or ()
        ]
        self.names = [entry.keyname for entry in compiled._result_columns]
        found = [
            (place, entry.type._cached_result_processor(dialect, None))
            for place, entry in enumerate(compiled._result_columns)
        ]
        self._results = [(place, processor) for place, processor in found if processor]

    def bound(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in the order of the text."""
        return [
            parameter.value
            if parameter.is_constant
            else parameter.processor(given[parameter.name])
            if parameter.processor
            else given[parameter.name]
            for parameter in self._parameters
        ]

    def results_of(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """What the columns mean, from what is stored."""
        if not self._results:
            return rows
        return [self._result_of(row) for row in rows]

    def _result_of(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, processor in self._results:
            values[place] = processor(values[place])
        return tuple(values)


class _Parameter:
    """One place in a text: given each time, or the same always."""

    __slots__ = ("is_constant", "name", "processor", "value")

    def __init__(
        self, name: str, processor: _Processor | None, constants: Mapping[str, Any]
    ) -> None:
        self.name, self.processor = name, processor
        self.is_constant = name in constants
        value = constants.get(name)
        self.value = processor(value) if processor and self.is_constant else value


def _execute(connection: Connection, text: str, values: Any, *, many: bool = False) -> Any:
    """On the driver; its errors as SQLAlchemy raises them."""
    driver: Any = connection.connection.driver_connection
    try:
        return driver.executemany(text, values) if many else driver.execute(text, values)
    except Exception as error:
        base: Any = connection.dialect.loaded_dbapi.Error
        if not isinstance(error, base):
            raise
        raise DBAPIError.instance(text, None, error, base) from error
