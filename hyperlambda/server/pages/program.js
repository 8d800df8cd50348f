// The Hyperlambda program that publishes what the form would.

import { parseExactly } from "./json.js";

const PLAIN_NAME = /^[A-Za-z_][\w.-]*$/;
const PLAIN_VALUE = /^[A-Za-z_](?:[\w .,-]*[\w.-])?$/;
const ESCAPES = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Return the program, or null if there is none: nodes cannot say everything that JSON can. */
export function programOf(name, payload, kind, names) {
  if (names.some((each) => each.includes(","))) return null; // slots split at each comma
  const lines = [`socket.signal:${value(name)}`];
  if (kind) lines.push(`   ${kind}:${value(names.join(", "))}`);
  try {
    const args = payload.trim() ? parseExactly(payload) : null;
    if (args !== null) {
      if (!isTree(args) || (Array.isArray(args) && !args.length)) return null;
      lines.push("   args", ...below(args, "      "));
    }
  } catch {
    return null;
  }
  return lines.join("\n");
}

function below(tree, indent) {
  const isList = Array.isArray(tree);
  const keys = Object.keys(tree);
  // What has no other names is an array.
  if (!isList && keys.length && keys.every((key) => key === "" || key === ".")) throw new Error();
  return keys.flatMap((key) => {
    const node = indent + (isList ? "." : PLAIN_NAME.test(key) ? key : quoted(key));
    const child = tree[key];
    if (!isTree(child)) return [node + leaf(child)];
    // A node without children is null.
    if (!Object.keys(child).length) throw new Error();
    return [node, ...below(child, `${indent}   `)];
  });
}

const isTree = (data) => typeof data === "object" && data !== null && !JSON.isRawJSON?.(data);

function leaf(data) {
  if (data === null) return "";
  if (typeof data === "string") return `:${value(data)}`;
  if (typeof data === "boolean") return `:bool:${data}`;
  const digits = String(data.rawJSON ?? data);
  return `:${typeOf(digits)}:${digits}`;
}

function typeOf(digits) {
  if (/^-?\d+$/.test(digits)) {
    const number = BigInt(digits);
    if (BigInt.asIntN(32, number) === number) return "int";
    if (BigInt.asIntN(64, number) === number) return "long";
  }
  // A decimal keeps all of its digits, and has 28 of them.
  return /e/i.test(digits) || digits.length > 28 ? "double" : "decimal";
}

const value = (text) => (PLAIN_VALUE.test(text) ? text : quoted(text));

const quoted = (text) => `"${text.replace(/["\\\n\r\t]/g, (character) => ESCAPES[character])}"`;
