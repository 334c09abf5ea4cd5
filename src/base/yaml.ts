import type * as Yaml from 'yaml';
import { DEPTH, type Located, type TextFault } from './located.js';

/** What a text holds; where there are faults, `root` is not all of it. */
export interface YamlReading {
  readonly root: Located;
  readonly faults: readonly TextFault[];
}

/** Whoever has so many faults is told of these. */
const FAULTS = 20;

/**
 * Reads one document of YAML 1.2, strictly. Refused: anchors and aliases (ten lines of them are a billion values), tags,
 * directives, a second document, the same key twice, keys that are no text, depth. The caller bounds the length: reading
 * takes several milliseconds a kilobyte where somebody makes it hard. `firstLine` is where the text stands in its file.
 */
export async function readYaml(text: string, firstLine = 1): Promise<YamlReading> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // it compares each key with all before it; the keys are compared below
    uniqueKeys: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !/:(?:int|float)$/.test(tag.tag)),
  });
  const conversion = new Conversion(yaml, lines, firstLine);
  for (const { pos, code, message } of document.errors.slice(0, FAULTS))
    conversion.fault(pos[0], code === 'MULTIPLE_DOCS' ? 'a second document, expected one' : `not YAML: ${inWords(message)}`);
  if (document.directives?.yaml.explicit === true) conversion.fault(0, 'a directive, expected none: this is YAML 1.2');
  const root = conversion.located(document.contents, firstLine, 0);
  return { root, faults: conversion.faults };
}

/** What the parser says may quote the text: nothing of that steers a terminal. */
const inWords = (message: string): string => message.slice(0, 120).replace(/[^ -~]/g, '?');

class Conversion {
  readonly faults: TextFault[] = [];
  readonly #yaml: typeof Yaml;
  readonly #lines: Yaml.LineCounter;
  readonly #firstLine: number;

  constructor(yaml: typeof Yaml, lines: Yaml.LineCounter, firstLine: number) {
    this.#yaml = yaml;
    this.#lines = lines;
    this.#firstLine = firstLine;
  }

  fault(offset: number, problem: string): void {
    if (this.faults.length < FAULTS) this.faults.push({ line: this.#lineAt(offset), problem });
  }

  /** `line` is where it is said to stand when its key does. */
  located(node: Yaml.ParsedNode | null, line: number | undefined, depth: number): Located {
    const at = node?.range[0] ?? 0;
    const located = { line: line ?? this.#lineAt(at), value: null };
    if (node === null) return located;
    if (this.#yaml.isAlias(node)) this.fault(at, 'an alias, expected none: a text that begins with * needs quotes');
    else if (node.anchor !== undefined) this.fault(at, 'an anchor, expected none');
    else if (node.tag !== undefined) this.fault(at, 'a tag, expected none');
    else if (this.#yaml.isScalar(node)) return { ...located, value: this.#scalar(node.value, at) };
    else if (depth >= DEPTH) this.fault(at, `deeper than ${DEPTH}`);
    else return { ...located, value: this.#yaml.isMap(node) ? this.#map(node, depth) : this.#list(node, depth) };
    return located;
  }

  #scalar(value: unknown, at: number): null | boolean | string {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    this.fault(at, 'a value of no kind that is read here');
    return null;
  }

  #list({ items }: Yaml.YAMLSeq.Parsed, depth: number): Located[] {
    return items.map((item) => this.located(item, undefined, depth + 1));
  }

  #map({ items }: Yaml.YAMLMap.Parsed, depth: number): ReadonlyMap<string, Located> {
    const map = new Map<string, Located>();
    for (const { key, value } of items) {
      const at = key.range[0];
      // one that is not has been told by the parser
      const name = this.#yaml.isScalar(key) && typeof key.value === 'string' ? key.value : '';
      if (key.anchor !== undefined || key.tag !== undefined) this.fault(at, 'a key with an anchor or a tag, expected none');
      if (map.has(name)) this.fault(at, `${JSON.stringify(name.slice(0, 60))} a second time`);
      map.set(name, this.located(value, this.#lineAt(at), depth + 1));
    }
    return map;
  }

  #lineAt(offset: number): number {
    return this.#firstLine - 1 + Math.max(1, this.#lines.linePos(offset).line);
  }
}
