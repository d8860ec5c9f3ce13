/** The effects of control sequences on the grid of a terminal. Pure. */

import type { Grid } from './grid';

/** By prefix, intermediates and final; `count` is `first`, or 1 where that is 0. */
export const FUNCTIONS: Record<
  string,
  ((grid: Grid, first: number, count: number, second: number) => void) | undefined
> = {
  '@': (grid, _, count) => grid.insertCells(count),
  A: (grid, _, count) => grid.up(count),
  B: (grid, _, count) => grid.down(count),
  C: (grid, _, count) => grid.move(count, 0),
  D: (grid, _, count) => grid.move(-count, 0),
  E: (grid, _, count) => {
    grid.down(count);
    grid.x = 0;
  },
  F: (grid, _, count) => {
    grid.up(count);
    grid.x = 0;
  },
  G: (grid, _, count) => grid.goTo(count - 1, grid.y),
  H: (grid, _, count, second) => grid.goTo((second || 1) - 1, count - 1),
  I: (grid, _, count) => grid.tab(count),
  J: (grid, first) => grid.eraseDisplay(first),
  K: (grid, first) => grid.eraseLine(first),
  L: (grid, _, count) => grid.insertRows(count),
  M: (grid, _, count) => grid.insertRows(-count),
  P: (grid, _, count) => grid.deleteCells(count),
  S: (grid, _, count) => grid.scrollUp(count),
  T: (grid, _, count) => grid.scrollUp(-count),
  X: (grid, _, count) => grid.eraseCells(count),
  Z: (grid, _, count) => grid.backTab(count),
  '`': (grid, _, count) => grid.goTo(count - 1, grid.y),
  a: (grid, _, count) => grid.move(count, 0),
  b: (grid, _, count) => grid.repeat(count),
  d: (grid, _, count) => grid.goTo(grid.x, count - 1),
  e: (grid, _, count) => grid.move(0, count),
  f: (grid, _, count, second) => grid.goTo((second || 1) - 1, count - 1),
  g: (grid, first) => {
    if (first === 3) {
      grid.clearStops();
    } else if (first === 0) {
      grid.setStop(false);
    }
  },
  r: (grid, first, _, second) => grid.setMargins(first, second),
  '?J': (grid, first) => grid.eraseDisplay(first),
  '?K': (grid, first) => grid.eraseLine(first),
  ' @': (grid, _, count) => grid.editColumns(0, -count),
  ' A': (grid, _, count) => grid.editColumns(0, count),
  "'}": (grid, _, count) => grid.editColumns(grid.x, count),
  "'~": (grid, _, count) => grid.editColumns(grid.x, -count)
};
