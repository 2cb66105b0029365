/** Most lines in one period, which is far more than a person reads. */
const linesPerPeriod = 100;
const periodMilliseconds = 10_000;

/**
 * Passes lines on, at most 100 in 10 s; says so once where it leaves some out, and afterwards how many there were.
 *
 * @param now milliseconds of a clock that never goes back.
 */
export function limitLines(log: (line: string) => void, now: () => number): (line: string) => void {
  let since = now();
  let lines = 0;
  return (line) => {
    if (now() - since >= periodMilliseconds) {
      if (lines > linesPerPeriod) log(`(${lines - linesPerPeriod} lines were left out)`);
      since = now();
      lines = 0;
    }
    lines += 1;
    if (lines <= linesPerPeriod) log(line);
    else if (lines === linesPerPeriod + 1) log("(it writes too much; lines are left out)");
  };
}
