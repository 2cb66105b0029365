/** What compiling a pattern comes to, estimated without compiling it. */
export interface PatternCost {
  /** Instructions of the program, about: repetitions are written out. */
  readonly instructions: number;
  /** Steps of a check's budget. */
  readonly steps: number;
}

/**
 * Estimates what a regular expression costs to compile, in one pass over its source.
 *
 * Some twenty characters (`.{1,1000}` a few times) can stand for half a million instructions, so the size has to be known
 * before the compiler is called.
 */
export function estimatePattern(source: string): PatternCost {
  const foldsCase = /\(\?[a-z]*i/.test(source);
  /** Sizes of the open groups, the innermost last. */
  const open: number[] = [];
  let group = 0;
  let last = 0;
  let properties = 0;
  let foldedClasses = 0;
  for (let at = 0; at < source.length; at += 1) {
    const char = source.charAt(at);
    const repetition = char === "{" ? /^\{(\d{1,9})(,(\d{0,9}))?\}/.exec(source.slice(at, at + 24)) : null;
    if (repetition !== null) {
      const most = Math.max(Number(repetition[1]), Number(repetition[3] || 0), 1);
      group += last * (most - 1);
      last *= most;
      at += repetition[0].length - 1;
    } else if (char === "(") {
      open.push(group);
      group = 0;
      last = 0;
    } else if (char === ")") {
      last = group + 1;
      group = (open.pop() ?? 0) + last;
    } else if (char === "[") {
      const end = endOfClass(source, at);
      properties += source.slice(at, end).match(/\\[pP]/g)?.length ?? 0;
      if (foldsCase) foldedClasses += 1;
      last = 1;
      group += 1;
      at = end;
    } else {
      if (char === "\\") {
        at += 1;
        if ("pP".includes(source.charAt(at))) properties += 1;
      }
      last = 1;
      group += 1;
    }
  }
  const instructions = open.reduce((sum, size) => sum + size, group);
  return {
    instructions,
    steps: 100 + source.length * 5 + instructions * 100 + properties * 1_000 + foldedClasses * 12_000,
  };
}

/** The position of the bracket that closes the class. */
function endOfClass(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at += 1) {
    if (source.charAt(at) === "\\") at += 1;
    else if (source.charAt(at) === "]") return at;
  }
  return source.length;
}
