// Completes the license notices of what the build has bundled: the builder's own report misses modules that were merged into those of
// another package.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = import.meta.dirname;
const REPORT = join(ROOT, '../jupyter_ptytasks/labextension/static/third-party-licenses.json');
// JupyterLab provides these at run time.
const PROVIDED = /^(@jupyterlab|@lumino)\/|^react(-dom)?$/;

/** Find a package as node does, from the directory of the one that needs it. */
function find(name, from) {
  for (const modules of createRequire(join(from, 'package.json')).resolve.paths(name)) {
    try {
      const manifest = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
      return { directory: join(modules, name), manifest };
    } catch (error) {
      if (error.code !== 'ENOENT') {
        throw error;
      }
    }
  }
  throw new Error(`${name}, needed in ${from}, is not installed`);
}

/** Return the text of a package's license. */
function license({ directory, manifest }) {
  const file = readdirSync(directory).find(name => /^licen[cs]e/i.test(name));
  if (!file) {
    throw new Error(`${manifest.name} has no license file`);
  }
  return readFileSync(join(directory, file), 'utf8');
}

const report = JSON.parse(readFileSync(REPORT, 'utf8'));
const notices = new Map(report.packages.map(entry => [entry.name, entry]));
const seen = new Set();

/** Add the notices of what a package depends on, and of what that depends on. */
function add({ directory, manifest }) {
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (PROVIDED.test(name) || seen.has(name)) {
      continue;
    }
    seen.add(name);
    const found = find(name, directory);
    const { version, license: licenseId } = found.manifest;
    notices.set(name, { name, versionInfo: version, licenseId, extractedText: license(found) });
    add(found);
  }
}

add({ directory: ROOT, manifest: JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) });
const packages = [...notices.values()].sort((a, b) => a.name.localeCompare(b.name));
writeFileSync(REPORT, JSON.stringify({ packages }, null, 2) + '\n');
