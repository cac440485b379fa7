import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseAnnotationXml, readAnnotationXml } from "../../../src/data/readers/annotation_xml.ts";
import { annotation, makeTree, object } from "./tree.ts";

Deno.test("parseAnnotationXml() reads corners in any order, with blanks, comments and CDATA", () => {
  const text = `\ufeff<?xml version="1.0"?><!-- made by hand -->\n` +
    annotation(object([" 1 ", "<![CDATA[2]]>", 3.5, "4e1"], "<trackid>7</trackid>"));
  const { size, objects: [found] } = parseAnnotationXml(text);
  assertEquals(size, { width: 96, height: 72 });
  assertEquals([found.corners, found.trackId, found.name], [[1, 2, 3.5, 40], 7, "n1"]);
});

Deno.test("parseAnnotationXml() takes the object's box, not that of one of its parts", () => {
  const part = "<part><name>head</name><bndbox><xmin>9</xmin></bndbox></part>";
  const [found] = parseAnnotationXml(annotation(object([1, 2, 3, 4], part))).objects;
  assertEquals([found.corners, found.name], [[1, 2, 3, 4], "n1"]);
});

Deno.test("parseAnnotationXml() gives NaN where there is no number", () => {
  const [found] = parseAnnotationXml(annotation(object(["one", "", 3, "nan"]))).objects;
  assertEquals(found.corners, [NaN, NaN, 3, NaN]);
});

Deno.test("parseAnnotationXml() does not expand entities, nor go down without end", () => {
  const bomb = `<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]>` + annotation("<a>&z;</a>");
  assertThrows(() => parseAnnotationXml(bomb), Error, "undefined entity");
  assertThrows(() => parseAnnotationXml("<annotation>" + "<a>".repeat(1e5)), Error, "too deep");
  assertThrows(() => parseAnnotationXml("<html></html>"), SyntaxError, "expected <annotation>");
});

Deno.test("readAnnotationXml() names the file", async () => {
  await using tree = await makeTree({ "a.xml": "<annotation>", "large.xml": "" });
  await Deno.truncate(`${tree.root}/large.xml`, 2 ** 24 + 1);
  await assertRejects(() => readAnnotationXml(`${tree.root}/a.xml`), SyntaxError, "a.xml");
  await assertRejects(() => readAnnotationXml(`${tree.root}/large.xml`), SyntaxError, "bytes");
});
