import { assert, assertEquals, assertThrows } from "@std/assert";
import { parsePickle } from "../../src/weights/pickle.ts";
import { CutPickleError } from "../../src/weights/pickle_machine.ts";
import { OrderedDict } from "../../src/weights/python_value.ts";
import { TorchVocabulary } from "../../src/weights/torch_vocabulary.ts";
import { WeightsFileError } from "../../src/weights/weights_file_error.ts";

function parse(text: string) {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return parsePickle(bytes, new TorchVocabulary()).value;
}

for (
  const [what, text, expected] of [
    ["small integers", "K\xffM\xff\xffJ\xfe\xff\xff\xff\x87.", [255, 65535, -2]],
    ["a negative long", "\x8a\x01\xff.", -1],
    ["an empty long", "\x8a\x00.", 0],
    ["a long beyond 2^53", "\x8a\x09\0\0\0\0\0\0\0\0\x01.", 2n ** 64n],
    ["a long of 4-byte length", "\x8b\x02\0\0\0\0\x01.", 256],
    ["a float", "G\x3f\xf8\0\0\0\0\0\0.", 1.5],
    ["texts of each length", "\x8c\x01aX\x01\0\0\0b\x8d\x01\0\0\0\0\0\0\0c\x87.", ["a", "b", "c"]],
    ["a byte order mark in a text", "\x8c\x03\xef\xbb\xbf.", "\ufeff"],
    ["bytes", "C\x02\x00\xff.", Uint8Array.of(0, 255)],
    ["a bytearray", "\x96\x01\0\0\0\0\0\0\0\x07.", Uint8Array.of(7)],
    ["a Python 2 text", "U\x01a.", "a"],
    ["Python 2 bytes", "U\x01\xff.", Uint8Array.of(255)],
    ["a set", "\x8f(K\x01K\x02\x90.", new Set([1, 2])],
    ["a frozenset", "(K\x01\x91.", new Set([1])],
    ["a torch.Size", "ctorch\nSize\n(K\x02K\x03t\x85R.", [2, 3]],
    ["a torch.device", "ctorch\ndevice\nU\x04cudaK\x01\x86R.", "cuda:1"],
    ["a discarded value", "K\x01K\x020.", 1],
    ["discarded values", "K\x01(K\x02K\x031.", 1],
    ["a duplicate", "K\x012\x86.", [1, 1]],
    ["single items", "]K\x01a.", [1]],
    ["single entries", "}U\x01aK\x01s.", new Map([["a", 1]])],
  ] as const
) {
  Deno.test(`parsePickle() reads ${what}`, () => {
    assertEquals(parse(`\x80\x02${text}`), expected);
  });
}

Deno.test("parsePickle() reads an OrderedDict as Python 2 wrote it", () => {
  const value = parse("\x80\x02ccollections\nOrderedDict\n](](U\x01aK\x01ee\x85R.");
  assertEquals(value, new OrderedDict([["a", 1]]));
});

Deno.test("parsePickle() says where the pickle ends", () => {
  const bytes = Uint8Array.of(0x80, 2, 0x4e, 0x2e, 1, 2, 3);
  assertEquals(parsePickle(bytes, new TorchVocabulary()), { value: null, end: 4 });
});

for (
  const [what, text] of [
    ["an unknown opcode", "\xff."],
    ["a newer protocol", "\x80\x06N."],
    ["a list as a key", "}]Ns."],
    ["a key without a value", "}(Nu."],
    ["items for a number", "K\x01(Ne."],
    ["items for a tuple", ")Na."],
    ["items across a mark", "](a."],
    ["an empty stack", "."],
    ["a call of a number", "K\x01)R."],
    ["a call without a tuple", "ccollections\nOrderedDict\n]R."],
    ["a storage that is called", "ctorch\nFloatStorage\n)R."],
    ["a state for a number", "K\x01}b."],
    ["a state for a dict", "}}b."],
    ["a name that is not text", "K\x01K\x02\x93."],
    ["a name without an end", `c${"a".repeat(300)}`],
    ["a text that is not UTF-8", "\x8c\x01\xff."],
    ["a persistent id of another kind", "U\x06module\x85Q."],
    ["an absurd integer", "\x8b\xff\xff\xff\x7f."],
    ["a numpy object", "cnumpy\ndtype\nU\x02O8\x85R."],
    ["a device of lists", "ctorch\ndevice\n]\x85R."],
    ["another encoding", "c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0utf-8\x86R."],
  ]
) {
  Deno.test(`parsePickle() refuses ${what}`, () => {
    assertThrows(() => parse(text), WeightsFileError);
  });
}

for (const name of ["os.system", "builtins.eval", "torch.load", "torch.float32.x", "__proto__."]) {
  Deno.test(`parsePickle() refuses the name ${name}`, () => {
    const [module, ...rest] = name.split(".");
    assertThrows(
      () => parse(`c${module}\n${rest.join(".")}\n.`),
      WeightsFileError,
      "not on the list",
    );
  });
}

Deno.test("parsePickle() tells a cut pickle from a wrong one", () => {
  assertThrows(() => parse("\x80\x02X\x05\0\0\0ab"), CutPickleError);
  assertThrows(() => parse("\x80\x02ctor"), CutPickleError);
});

for (
  const [how, text] of [
    ["marks", "(".repeat(200_000)],
    ["tuples", `N${"\x85".repeat(200_000)}.`],
    ["lists", "]".repeat(200_000) + "a".repeat(199_999) + "."],
  ]
) {
  Deno.test(`parsePickle() refuses 200000 nested ${how} at once`, () => {
    const start = performance.now();
    assertThrows(() => parse(text), WeightsFileError, "nested deeper than 1000 levels");
    assert(performance.now() - start < 2000);
  });
}

Deno.test("parsePickle() shows a value that refers to itself exponentially often by kind only", () => {
  // Each list holds the one before it twice: 2^60 items to whoever walks it.
  const twice = "q\x01](h\x01h\x01e".repeat(60);
  assertThrows(
    () => parse(`\x80\x02]${twice}\x85Q.`),
    WeightsFileError,
    "loads a list, expected a storage",
  );
});
