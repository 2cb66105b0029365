/**
 * The one candidate that a misspelt word must mean, or `undefined` when there is none or more than one.
 *
 * Sure means: equal but for case and separators, or within one edit (two in words of seven letters and more), with no other
 * candidate as near. A swap of neighbours is one edit.
 */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const plain = normalize(word);
  const equal = candidates.filter((candidate) => normalize(candidate) === plain);
  if (equal.length === 1) return equal[0];
  if (word.length > maxLength) return undefined;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(plain, normalize(candidate));
    const shorter = Math.min(plain.length, normalize(candidate).length);
    if (distance > (shorter >= 7 ? 2 : shorter >= 3 ? 1 : 0)) continue;
    if (distance === bestDistance) best = undefined;
    else if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Longer words are no typing mistakes of ours, and the distance costs the product of the lengths. */
const maxLength = 64;

function normalize(word: string): string {
  return word.toLowerCase().replace(/[_\-\s.]/g, "");
}

/** No more edits than this are ever a typing mistake; the distance looks no further than that from the diagonal. */
const mostEdits = 2;

/** Optimal string alignment distance (insertions, deletions, replacements, swaps of neighbours); infinite beyond `mostEdits`. */
function editDistance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > mostEdits) return Number.POSITIVE_INFINITY;
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: to.length + 1 }, (_unused, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current: number[] = [row];
    const last = Math.min(to.length, row + mostEdits);
    for (let column = Math.max(1, row - mostEdits); column <= last; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (previous[column] ?? mostEdits) + 1,
        (current[column - 1] ?? mostEdits) + 1,
        (previous[column - 1] ?? mostEdits) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, (beforePrevious[column - 2] ?? mostEdits) + 1);
      }
      current[column] = cost;
    }
    beforePrevious = previous;
    previous = current;
  }
  const distance = previous[to.length] ?? Number.POSITIVE_INFINITY;
  return distance <= mostEdits ? distance : Number.POSITIVE_INFINITY;
}
