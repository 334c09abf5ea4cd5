/** Those of many names that have something in common: how many, and the first few. */
export interface Sample {
  readonly count: number;
  readonly first: readonly string[];
}

const KEPT = 5;

/** Counts, and keeps the first few: a name with a million faults is told as shortly as one with ten. */
export class Counter implements Sample {
  readonly first: string[] = [];
  count = 0;

  add(name: string): void {
    if (this.count++ < KEPT) this.first.push(name);
  }
}

/** Those of `names` of which `test` holds. */
export function sampleOf(names: Iterable<string>, test: (name: string) => boolean): Sample {
  const found = new Counter();
  for (const name of names) if (test(name)) found.add(name);
  return found;
}
