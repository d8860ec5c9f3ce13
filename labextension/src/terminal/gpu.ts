/** Detects WebGL that is emulated in software. */

/** The names of software renderers: those of Chromium, Mesa and Windows. */
const PROGRAMS = /swiftshader|llvmpipe|softpipe|software|basic render/i;

let known: boolean | undefined;

/** Return whether WebGL is emulated in software, and therefore slow. The result is cached. */
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
  // Browsers limit the number of contexts of a page.
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return PROGRAMS.test(String(name));
}
