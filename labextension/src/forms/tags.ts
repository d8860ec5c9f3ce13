/** Reads tags as people type them. Pure. */

/** Return the tags of a comma-separated list, without duplicates. */
export function parseTags(text: string): string[] {
  const tags = text.split(',').map(tag => tag.trim());
  return [...new Set(tags)].filter(tag => tag !== '');
}
