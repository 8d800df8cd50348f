// JSON as it was written, and what is wrong with it.

/**
 * Numbers keep the digits that were sent where the browser can do so: 12345678901234567890
 * and 1.0 would be other texts after a way through JavaScript's numbers.
 */
export function parseExactly(text) {
  if (!JSON.rawJSON) return JSON.parse(text);
  return JSON.parse(text, (key, value, context) =>
    typeof value === "number" && String(value) !== context.source
      ? JSON.rawJSON(context.source)
      : value);
}

/** Say below a field whether it holds JSON; return whether it does, or is empty. */
export function checkJson(field, line, empty) {
  const error = errorOf(field.value);
  const text = error ? `No JSON: ${error}` : field.value.trim() ? "Valid JSON" : empty;
  if (line.textContent !== text) line.textContent = text; // said once, not at each key
  line.classList.toggle("bad", error !== null);
  field.setAttribute("aria-invalid", String(error !== null));
  return error === null;
}

function errorOf(text) {
  try {
    if (text.trim()) JSON.parse(text);
    return null;
  } catch (error) {
    return error.message;
  }
}
