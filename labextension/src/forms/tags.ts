/** Reads tags as people type them, and says how they have changed. Pure. */

import type { ITagChanges } from '../services/types/requests';

/** Return the tags of a comma-separated list, without duplicates. */
export function parseTags(text: string): string[] {
  const tags = text.split(',').map(tag => tag.trim());
  return [...new Set(tags)].filter(tag => tag !== '');
}

/** Return what makes one list of tags another, and leaves alone what somebody else adds meanwhile. */
export function tagChanges(before: readonly string[], after: readonly string[]): ITagChanges {
  const added = after.filter(tag => !before.includes(tag));
  const removed = before.filter(tag => !after.includes(tag));
  return {
    ...(added.length > 0 && { add_tags: added }),
    ...(removed.length > 0 && { remove_tags: removed })
  };
}
