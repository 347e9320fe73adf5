/** The candidate that `word` was probably meant to be, or undefined when none is close (a third of its length, at least 2 edits). */
export function nearestName(word: string, candidates: readonly string[]): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of candidates) {
    const distance = editDistance(word, name);
    if (best === undefined || distance < best.distance) best = { name, distance };
  }
  const limit = Math.max(2, Math.ceil(word.length / 3));
  return best !== undefined && best.distance <= limit ? best.name : undefined;
}

/** `, did you mean "name"?`, or nothing. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const name = nearestName(word, candidates);
  return name === undefined ? '' : `; did you mean ${name}?`;
}

/** Levenshtein distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitution = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}
