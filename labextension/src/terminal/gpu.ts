/** Whether the page has a GPU to draw terminals with. */

/** The names of programs that do the work of a GPU: those of Chromium, Mesa and Windows. */
const PROGRAMS = /swiftshader|llvmpipe|softpipe|software|basic render/i;

let known: boolean | undefined;

/** Return whether a program does what a GPU should: WebGL is there then, but slow. It is found out once. */
export function isGpuEmulated(): boolean {
  known ??= look();
  return known;
}

function look(): boolean {
  const gl = document.createElement('canvas').getContext('webgl');
  if (!gl) {
    return false;
  }
  const about = gl.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = gl.getParameter(about?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER);
  // There are only so many of them for a page.
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return PROGRAMS.test(String(name));
}
