/** The colors and the font of charts, from the theme: style sheets do not apply to a canvas. */

/** The look of the curve of one task. Dashes distinguish tasks with the same color. */
export interface ILineLook {
  color: string;
  dash: number[];
}

/** The look of all charts of a tab. */
export interface ILook {
  text: string;
  ground: string;
  grid: string;
  warning: string;
  font: string;
  lines: readonly string[];
}

/** The font size of the axes, relative to that of the tab. */
const SMALL = 0.85;

/** The number of colors in style/metrics.css. */
const COLORS = 8;

const DASHES: readonly number[][] = [[], [8, 4], [2, 3], [8, 3, 2, 3]];

/** The most tasks that can be distinguished. */
export const MOST = COLORS * DASHES.length;

/** Return the look that the style sheets give to an element. */
export function readLook(node: HTMLElement): ILook {
  const style = getComputedStyle(node);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: read('--jp-ui-font-color1'),
    ground: read('--jp-layout-color1'),
    grid: read('--jp-ptytasks-grid'),
    warning: read('--jp-ptytasks-break'),
    font: `${Math.round(SMALL * parseFloat(style.fontSize))}px ${style.fontFamily}`,
    lines: Array.from({ length: COLORS }, (_, at) => read(`--jp-ptytasks-line${at}`))
  };
}

/** Return the look of the task at an index in the tab. */
export function lineLook(look: ILook, at: number): ILineLook {
  return {
    color: look.lines[at % COLORS],
    dash: DASHES[Math.floor(at / COLORS) % DASHES.length]
  };
}
