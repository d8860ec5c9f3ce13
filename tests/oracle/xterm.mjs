// The oracle: headless xterm.js terminals behind JSON lines, one list of operations in, one list of results (or, where
// xterm.js itself broke, {error}) out.
//
// Operations: ["new", {rows, cols, scrollback, version}], ["write", text], ["resize", cols, rows], ["answers"],
// ["snapshot"], ["lines"]. Each "new" replaces the terminal before it. Text arrives as strings, as it does in a browser. What has no
// public accessor (a pen, a margin, a pending wrap) is read from the terminal's core: the versions are pinned.
import { createInterface } from "node:readline";
import xterm6 from "@xterm/headless";
import xterm5 from "xterm-5";

const TERMINALS = { 5: xterm5.Terminal, 6: xterm6.Terminal };
const UNDERLINE = 0x10000000; // in fg
const EXTENDED = 0x10000000; // in bg
const FLAGS = 0xfc000000;

let terminal;
let answers;
let title;

function create({ rows, cols, scrollback = 1000, version = 6 }) {
  terminal?.dispose();
  answers = [];
  title = "";
  terminal = new TERMINALS[version]({ rows, cols, scrollback, allowProposedApi: true, logLevel: "off" });
  terminal.onData(data => answers.push(data));
  terminal.onTitleChange(value => (title = value));
}

/** A color by what is seen of it: bits of an earlier color may linger below the mode's mask. */
function color(value) {
  const mode = value & 0x3000000;
  if (mode === 0) return "-";
  return mode === 0x3000000 ? `#${(value & 0xffffff).toString(16)}` : `${mode >> 24}:${value & 0xff}`;
}

function attributes(fg, bg, extended) {
  let link = "";
  let underline = fg & UNDERLINE ? "1" : "";
  if (extended && bg & EXTENDED) {
    if (underline) underline = `${extended.underlineStyle}/${color(extended.underlineColor)}`;
    if (extended.urlId) link = terminal._core._oscLinkService.getLinkData(extended.urlId)?.uri ?? "";
  }
  const flags = `${((fg & FLAGS & ~UNDERLINE) >>> 26).toString(16)}.${((bg & FLAGS & ~EXTENDED) >>> 26).toString(16)}`;
  const key = `${color(fg)} ${color(bg)} ${flags} ${underline} ${link}`;
  return key === "- - 0.0  " ? "" : key.trim();
}

/** One line: text with \0 for a cell never written, and its runs of equal attributes as [length, attributes]. */
function line(buffer, index, cols) {
  const source = buffer.lines.get(index);
  const runs = [];
  let text = "";
  let previous;
  for (let x = 0; x < cols; x++) {
    text += source.getString(x) || (source.getWidth(x) ? "\0" : "");
    // Of a cell that was never written to, or erased, nothing is seen but its background.
    const isNull = !source.hasContent(x);
    const key = isNull ? attributes(0, source.getBg(x) & ~FLAGS) : attributes(source.getFg(x), source.getBg(x), source._extendedAttrs[x]);
    if (key === previous) runs[runs.length - 1][0]++;
    else runs.push([1, (previous = key)]);
  }
  text = text.replace(/\0+$/, "");
  const plain = runs.length === 1 && runs[0][1] === "";
  return source.isWrapped ? [text, plain ? [] : runs, "wrapped"] : [text, plain ? [] : runs];
}

function screen(buffer, cols) {
  const lines = [];
  for (let index = 0; index < buffer.lines.length; index++) lines.push(line(buffer, index, cols));
  return {
    lines,
    base: buffer.ybase,
    x: buffer.x,
    y: buffer.y,
    margins: [buffer.scrollTop, buffer.scrollBottom],
    tabs: Object.keys(buffer.tabs).map(Number),
    saved: [buffer.savedX, buffer.savedY, attributes(buffer.savedCurAttrData.fg, buffer.savedCurAttrData.bg)],
  };
}

function snapshot() {
  const core = terminal._core;
  const { normal, alt, active } = core._bufferService.buffers;
  const pen = core._inputHandler._curAttrData;
  const charset = core._charsetService.charset;
  const { cursorStyle, cursorBlink, convertEol } = core.optionsService.rawOptions;
  return {
    alternate: active === alt,
    normal: screen(normal, terminal.cols),
    alt: screen(alt, terminal.cols),
    pen: attributes(pen.fg, pen.bg, pen.extended),
    modes: {
      ...terminal.modes,
      cursorHidden: core.coreService.isCursorHidden,
      keypad: core.coreService.decPrivateModes.applicationKeypad,
      cursorStyle: core.coreService.decPrivateModes.cursorStyle ?? cursorStyle,
      cursorBlink: core.coreService.decPrivateModes.cursorBlink ?? cursorBlink,
      convertEol,
      mouseEncoding: core.coreMouseService.activeEncoding,
      shift: core._charsetService.glevel,
      charset: charset ? JSON.stringify(charset).slice(0, 40) : "",
    },
    title,
  };
}

const SGR = [
  [cell => cell.isBold(), "1"],
  [cell => cell.isDim(), "2"],
  [cell => cell.isItalic(), "3"],
  [cell => cell.fg & UNDERLINE, "4"], // and not a link, which xterm.js underlines by itself,
  [cell => cell.isBlink(), "5"],
  [cell => cell.isInverse(), "7"],
  [cell => cell.isInvisible(), "8"],
  [cell => cell.isStrikethrough(), "9"],
  [cell => cell.isOverline(), "53"],
];
const SHOWS_BLANKS = ["4", "7", "9", "53"];

function sgrColor(what, isDefault, isPalette, value, mode) {
  if (isDefault) return [];
  if (!isPalette) return [`${what + 8};2;${value >> 16};${(value >> 8) & 255};${value & 255}`];
  if (mode === 0x2000000) return [`${what + 8};5;${value}`];
  return [`${value < 8 ? what + value : what + 52 + value}`];
}

/** How a cell looks, as SGR parameters, and whether a blank shows it. */
function look(cell) {
  const codes = SGR.filter(([is]) => is(cell)).map(([, code]) => code);
  const background = sgrColor(40, cell.isBgDefault(), cell.isBgPalette(), cell.getBgColor(), cell.getBgColorMode());
  const shows = background.length > 0 || codes.some(code => SHOWS_BLANKS.includes(code));
  codes.push(...sgrColor(30, cell.isFgDefault(), cell.isFgPalette(), cell.getFgColor(), cell.getFgColorMode()));
  return [[...codes, ...background].join(";"), shows];
}

/** The lines of the normal screen and its scrollback: as text without blanks at their ends, and the same with SGR. */
function lines() {
  const buffer = terminal.buffer.normal;
  const found = [];
  for (let y = 0; y < buffer.length; y++) {
    const row = buffer.getLine(y);
    const next = buffer.getLine(y + 1);
    const goesOn = next?.isWrapped ?? false;
    const cells = [];
    for (let x = 0; x < terminal.cols; ) {
      const cell = row.getCell(x);
      const isNull = !cell.getChars();
      // A wide character that found no room in the last column left it empty.
      const isLeft = goesOn && isNull && x === terminal.cols - 1 && next.getCell(0).getWidth() === 2;
      if (!isLeft) cells.push(isNull ? [" ", "", false] : [cell.getChars(), ...look(cell)]);
      x += cell.getWidth() || 1;
    }
    if (row.isWrapped && found.length > 0) found[found.length - 1].push(...cells);
    else found.push(cells);
  }
  return found.map(cells => {
    while (cells.length > 0 && cells[cells.length - 1][0] === " " && !cells[cells.length - 1][2]) cells.pop();
    let ansi = "";
    let drawn = "";
    for (const [chars, sgr] of cells) {
      if (sgr !== drawn) {
        if (drawn) ansi += "\x1b[0m";
        if (sgr) ansi += `\x1b[${sgr}m`;
        drawn = sgr;
      }
      ansi += chars;
    }
    return [cells.map(([chars]) => chars).join("").trimEnd(), drawn ? ansi + "\x1b[0m" : ansi];
  });
}

// xterm.js parses in a timer of its own: what it throws there (it has bugs, too) would end the process.
let fail;
process.on("uncaughtException", error => fail(error));

function write(text) {
  return new Promise((resolve, reject) => {
    fail = reject;
    terminal.write(text, () => resolve(null));
  });
}

const OPERATIONS = {
  new: options => create(options),
  write,
  resize: (cols, rows) => terminal.resize(cols, rows),
  answers: () => answers,
  snapshot,
  lines,
};

for await (const request of createInterface({ input: process.stdin })) {
  let answer = [];
  try {
    for (const [name, ...args] of JSON.parse(request)) answer.push((await OPERATIONS[name](...args)) ?? null);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
