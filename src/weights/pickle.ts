/**
 * An allow-list pickle machine: it reads protocols 2 to 5 and can build plain values only. What a
 * name, a call or a persistent id means is decided by the {@linkcode PickleVocabulary}; the machine
 * itself has no way to reach anything else.
 *
 * Opcodes: CPython, Lib/pickletools.py.
 */
import { fail, PickleMachine, type PickleVocabulary } from "./pickle_machine.ts";
import type { PythonValue } from "./python_value.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/**
 * Reads one pickle.
 *
 * @param bytes The pickle from its first byte; more may follow it.
 * @returns Its value, and the number of bytes it takes.
 * @throws {CutPickleError} If the bytes end first.
 * @throws {WeightsFileError} If it is malformed or refers to something outside the vocabulary.
 */
export function parsePickle(
  bytes: Uint8Array,
  vocabulary: PickleVocabulary,
): { value: PythonValue; end: number } {
  const machine = new PickleMachine(bytes, vocabulary);
  for (;;) {
    const opcode = machine.u8();
    if (opcode === STOP) return { value: machine.pop(), end: machine.position };
    const run = OPCODES.get(opcode);
    if (run === undefined) {
      throw new WeightsFileError(
        `its pickle has opcode 0x${opcode.toString(16)} at byte ${machine.position - 1}, ` +
          "expected one that torch.save writes",
      );
    }
    run(machine);
  }
}

const STOP = code(".");

function code(character: string): number {
  return character.charCodeAt(0);
}

/** What each opcode does; those that torch.save never writes are left out on purpose. */
const OPCODES: ReadonlyMap<number, (m: PickleMachine) => void> = new Map([
  // Structure
  [0x80, (m) => m.u8() > 5 && fail("a protocol above 5")], // PROTO
  [0x95, (m) => void m.u64()], // FRAME: its length only helps readers that fetch ahead
  [code("("), (m) => m.mark()], // MARK
  [code("0"), (m) => void m.pop()], // POP
  [code("1"), (m) => void m.popToMark()], // POP_MARK
  [code("2"), (m) => m.push(m.top())], // DUP

  // Plain values
  [code("N"), (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [code("K"), (m) => m.push(m.u8())], // BININT1
  [code("M"), (m) => m.push(m.u16())], // BININT2
  [code("J"), (m) => m.push(m.i32())], // BININT
  [0x8a, (m) => m.push(m.integer(m.u8()))], // LONG1
  [0x8b, (m) => m.push(m.integer(m.u32()))], // LONG4
  [code("G"), (m) => m.push(m.f64())], // BINFLOAT
  [0x8c, (m) => m.push(m.text(m.u8()))], // SHORT_BINUNICODE
  [code("X"), (m) => m.push(m.text(m.u32()))], // BINUNICODE
  [0x8d, (m) => m.push(m.text(m.u64()))], // BINUNICODE8
  [code("U"), (m) => m.push(m.oldString(m.u8()))], // SHORT_BINSTRING
  [code("T"), (m) => m.push(m.oldString(m.u32()))], // BINSTRING
  [code("C"), (m) => m.push(m.take(m.u8()).slice())], // SHORT_BINBYTES
  [code("B"), (m) => m.push(m.take(m.u32()).slice())], // BINBYTES
  [0x8e, (m) => m.push(m.take(m.u64()).slice())], // BINBYTES8
  [0x96, (m) => m.push(m.take(m.u64()).slice())], // BYTEARRAY8

  // Containers
  [code(")"), (m) => m.push(m.tuple([]))], // EMPTY_TUPLE
  [0x85, (m) => m.push(m.popTuple(1))], // TUPLE1
  [0x86, (m) => m.push(m.popTuple(2))], // TUPLE2
  [0x87, (m) => m.push(m.popTuple(3))], // TUPLE3
  [code("t"), (m) => m.push(m.tuple(m.popToMark()))], // TUPLE
  [code("]"), (m) => m.push([])], // EMPTY_LIST
  [code("a"), (m) => { // APPEND
    const value = m.pop();
    m.extendList(m.top(), [value]);
  }],
  [code("e"), (m) => { // APPENDS
    const values = m.popToMark();
    m.extendList(m.top(), values);
  }],
  [code("}"), (m) => m.push(new Map())], // EMPTY_DICT
  [code("s"), (m) => { // SETITEM
    const pair = m.popTuple(2);
    m.extendDict(m.top(), pair);
  }],
  [code("u"), (m) => { // SETITEMS
    const pairs = m.popToMark();
    m.extendDict(m.top(), pairs);
  }],
  [0x8f, (m) => m.push(new Set())], // EMPTY_SET
  [0x90, (m) => { // ADDITEMS
    const values = m.popToMark();
    m.extendSet(m.top(), values);
  }],
  [0x91, (m) => { // FROZENSET
    const values = m.popToMark();
    m.push(new Set());
    m.extendSet(m.top(), values);
  }],

  // Memo
  [code("q"), (m) => m.put(m.u8())], // BINPUT
  [code("r"), (m) => m.put(m.u32())], // LONG_BINPUT
  [0x94, (m) => m.memoize()], // MEMOIZE
  [code("h"), (m) => m.get(m.u8())], // BINGET
  [code("j"), (m) => m.get(m.u32())], // LONG_BINGET

  // What the vocabulary decides
  [code("c"), (m) => m.push(m.vocabulary.find(`${m.line()}.${m.line()}`))], // GLOBAL
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [code("R"), (m) => m.call()], // REDUCE
  [0x81, (m) => m.call()], // NEWOBJ
  [code("Q"), (m) => m.push(m.vocabulary.load(m.pop()))], // BINPERSID
  [code("b"), (m) => m.build()], // BUILD
]);
