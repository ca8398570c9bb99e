"""A shared library that was compiled to WebAssembly, linked into a memory of its own.

A "side module" (the dynamic linking convention of WebAssembly tools, DynamicLinking.md) brings code and data only: the memory,
the table of functions, the stack and the addresses of its own symbols (`GOT.mem`, `GOT.func`) come from whoever loads it.
The layout here is: nothing, the stack, the data, the heap. The stack grows down, so an overflow leaves the memory and traps.
The heap is given out in one direction and taken back all at once.
"""

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import wasmtime

from svault.errors import InternalError

PAGE = 1 << 16
STACK = 1 << 18
MAX_MEMORY = 1 << 28
_ALIGNMENT = 16

HostFunction = Callable[..., int | None]
Imported = Callable[["WasmLibrary"], Mapping[str, HostFunction]]


@dataclass(frozen=True)
class Needs:
    """What the module's `dylink.0` section asks for: bytes of memory and entries of the table."""

    memory: int
    table: int


def needs(wasm: bytes) -> Needs:
    """Read the `dylink.0` section, which is the first one. Raises ValueError when `wasm` is no side module."""
    try:
        if wasm[:9] != b"\0asm\1\0\0\0\0":
            raise ValueError("not a WebAssembly side module")
        _, at = _number(wasm, 9)
        length, at = _number(wasm, at)
        if wasm[at : at + length] != b"dylink.0":
            raise ValueError("not a WebAssembly side module")
        kind, at = wasm[at + length], at + length + 1
        _, at = _number(wasm, at)
        memory, at = _number(wasm, at)
        _, at = _number(wasm, at)
        table, at = _number(wasm, at)
    except IndexError:
        raise ValueError("the WebAssembly module is cut short") from None
    if kind != 1:
        raise ValueError("the WebAssembly module does not say how much memory it needs")
    return Needs(memory, table)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """LEB128: seven bits a byte, the lowest first."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


class WasmLibrary:
    """One linked side module. Not safe to call from two threads at once."""

    def __init__(self, engine: wasmtime.Engine, module: wasmtime.Module, need: Needs, imported: "Imported") -> None:
        """Link `module`; `imported` gives the functions of the C library.

        Raises wasmtime's errors, InternalError or KeyError when it does not fit.
        """
        self._store = wasmtime.Store(engine)
        data = _ALIGNMENT + STACK
        self._top = self._mark = _aligned(data + need.memory, _ALIGNMENT)
        limits = wasmtime.Limits(self._top // PAGE + 1, MAX_MEMORY // PAGE)
        self._memory = wasmtime.Memory(self._store, wasmtime.MemoryType(limits))
        imports = module.imports
        entries = 1 + need.table + sum(entry.module == "GOT.func" for entry in imports)
        self._table = wasmtime.Table(
            self._store, wasmtime.TableType(wasmtime.ValType.funcref(), wasmtime.Limits(entries, None)), None
        )
        functions = imported(self)
        given: list[Any] = []
        symbols: dict[tuple[str, str], wasmtime.Global] = {}
        own = {
            "memory": self._memory,
            "__indirect_function_table": self._table,
            "__memory_base": self._number(data, mutable=False),
            "__table_base": self._number(1, mutable=False),
            "__stack_pointer": self._number(data, mutable=True),
        }
        for entry in imports:
            name = entry.name or ""
            if entry.module in ("GOT.mem", "GOT.func"):
                given.append(symbols.setdefault((entry.module, name), self._number(0, mutable=True)))
            elif isinstance(entry.type, wasmtime.FuncType):
                given.append(wasmtime.Func(self._store, entry.type, functions.get(name) or _absent(name)))
            else:
                given.append(own[name])
        self._exports: Any = wasmtime.Instance(self._store, module, given).exports(self._store)
        self._resolve(symbols, data, 1 + need.table)
        for start in ("__wasm_apply_data_relocs", "__wasm_call_ctors"):
            self.call(start)

    def call(self, function: str, *arguments: int) -> int:
        """Call an exported function. Raises InternalError when there is none, wasmtime's errors, or what an import raised."""
        if function not in self._exports:
            raise InternalError(f"a WebAssembly library has no function {function}")
        return self._exports[function](self._store, *arguments) or 0

    def call_entry(self, entry: int) -> None:
        """Call the function without arguments at one place of the table: a function pointer."""
        function = self._table.get(self._store, entry)
        assert isinstance(function, wasmtime.Func)
        function(self._store)

    def allocate(self, length: int, alignment: int = _ALIGNMENT) -> int:
        """Return the address of `length` bytes; the memory grows when it must. Raises InternalError when it cannot."""
        address = _aligned(self._top, max(alignment, _ALIGNMENT))
        lacking = address + max(length, 1) - self._memory.data_len(self._store)
        if lacking > 0:
            if address + length > MAX_MEMORY:
                raise InternalError("a WebAssembly library asked for more memory than it may have")
            self._memory.grow(self._store, -(-lacking // PAGE))
        self._top = address + max(length, 1)
        return address

    def put(self, value: bytes) -> int:
        """Return the address of a copy of `value`."""
        address = self.allocate(len(value))
        self.write(address, value)
        return address

    def write(self, address: int, value: bytes) -> None:
        """Write into the memory."""
        self._memory.write(self._store, value, address)

    def read(self, address: int, length: int) -> bytes:
        """Read from the memory."""
        return bytes(self._memory.read(self._store, address, address + length))

    def keep(self) -> None:
        """What was allocated up to now stays: `reset` takes back what comes after."""
        self._mark = self._top

    def reset(self) -> None:
        """Take back what was allocated since `keep`, and write zeros over it and over the stack."""
        start = ctypes.addressof(self._memory.data_ptr(self._store).contents)
        ctypes.memset(start + self._mark, 0, self._top - self._mark)
        ctypes.memset(start + _ALIGNMENT, 0, STACK)
        self._top = self._mark

    @property
    def memory_length(self) -> int:
        """How many bytes the memory has."""
        return self._memory.data_len(self._store)

    def _number(self, value: int, *, mutable: bool) -> wasmtime.Global:
        kind = wasmtime.GlobalType(wasmtime.ValType.i32(), mutable)
        return wasmtime.Global(self._store, kind, wasmtime.Val.i32(value))

    def _resolve(self, symbols: Mapping[tuple[str, str], wasmtime.Global], data: int, entry: int) -> None:
        """Write the addresses of the module's own symbols into the globals that it imports for them."""
        for (kind, name), address in symbols.items():
            if name not in self._exports:
                continue  # data of the C library (stderr): its address stays zero
            if kind == "GOT.func":
                self._table.set(self._store, entry, self._exports[name])
                address.set_value(self._store, wasmtime.Val.i32(entry))
                entry += 1
            else:
                address.set_value(self._store, wasmtime.Val.i32(data + self._exports[name].value(self._store)))


def _aligned(address: int, alignment: int) -> int:
    return (address + alignment - 1) & -alignment


def _absent(name: str) -> HostFunction:
    def stop(*_: int) -> NoReturn:
        raise InternalError(f"a WebAssembly library called {name}, which it has no need of")

    return stop
