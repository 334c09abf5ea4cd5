import * as fs from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { readError } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import { type DeploymentFinding, error, reading } from './findings.js';
import { type Layout, type ServiceLayout, layoutOf } from './layout.js';

/** How much of a tree is looked at. What is beyond is a finding: nobody is told that all is good who was not told all. */
export interface TreeLimits {
  readonly depth: number;
  readonly entries: number;
  readonly services: number;
}

const LIMITS: TreeLimits = { depth: 8, entries: 500_000, services: 5_000 };

/** Where a service was found, and where it has from what does not stand beside it. */
export interface Place {
  readonly name: string;
  readonly directory: string;
  readonly layout: ServiceLayout;
  readonly bundle: SharedFile | undefined;
  readonly crls: readonly SharedFile[];
}

interface SharedFile {
  readonly path: string;
  /** It stands in a directory above, for all below it that have none of their own. */
  readonly shared: boolean;
}

export interface Tree {
  readonly places: readonly Place[];
  /** Directories that could not be looked into. */
  readonly findings: readonly DeploymentFinding[];
}

/**
 * All services in `root` and below, in the order of their paths. Throws FILE_NOT_FOUND or FILE_NOT_READABLE when
 * there is no `root`, or no service in it.
 */
export function findPlaces(root: string, limits: TreeLimits = LIMITS): Tree {
  const walk = new Walk(root, limits);
  walk.from(root);
  if (walk.places.length === 0) {
    const reason = walk.findings[0]?.message ?? 'no service in it or below: expected tls.crt and tls.key, or NAME.crt and NAME.key';
    throw new MtlsError('FILE_NOT_READABLE', { path: root, reason });
  }
  return { places: named(walk.places, root), findings: walk.findings };
}

/** What holds in a directory unless it has its own. */
interface Scope {
  readonly bundle: string | undefined;
  readonly crls: readonly string[];
  /** Names of services are paths from here. */
  readonly base: string;
}

type Unnamed = Place & { readonly base: string };

class Walk {
  readonly places: Unnamed[] = [];
  readonly findings: DeploymentFinding[] = [];
  readonly #limits: TreeLimits;
  readonly #inside: string;
  /** Directories by what they really are: links that go in a circle, or to where we were, end here. */
  readonly #seen = new Set<string>();
  readonly #overflown = new Set<keyof TreeLimits>();
  #entries = 0;

  constructor(root: string, limits: TreeLimits) {
    this.#limits = limits;
    try {
      this.#inside = fs.realpathSync(root);
      if (!fs.statSync(root).isDirectory()) throw new MtlsError('FILE_NOT_READABLE', { path: root, reason: 'it is no directory' });
      fs.opendirSync(root).closeSync();
    } catch (thrown) {
      throw readError(root, thrown);
    }
  }

  from(root: string): void {
    this.#enter(root, this.#scopeAbove(root), 0);
  }

  /** `root` may be within a workspace, whose CA then holds; no other file outside of `root` does. */
  #scopeAbove(root: string): Scope {
    const services = [this.#inside, dirname(this.#inside)].find((each) => basename(each) === 'services');
    const workspace = services === undefined ? undefined : dirname(services);
    if (workspace === undefined || !isWorkspace(WORKSPACE.filter((name) => fs.existsSync(join(workspace, name)))))
      return { bundle: undefined, crls: [], base: root };
    return { ...this.#authorityOf(workspace), base: root };
  }

  #enter(directory: string, above: Scope, depth: number): void {
    const real = reading(directory, this.findings, () => attempt(directory, () => fs.realpathSync(directory)));
    if (real === undefined || this.#seen.has(real)) return;
    this.#seen.add(real);
    const entries = this.#list(directory);
    const names = entries.map(({ name }) => name);
    if (isWorkspace(names)) {
      const services = join(directory, 'services');
      return this.#enter(services, { ...this.#authorityOf(directory), base: services }, depth + 1);
    }
    // a directory may be called ca.crt
    const layout = layoutOf(entries.flatMap((entry) => (entry.isDirectory() ? [] : [entry.name])));
    this.#note(directory, layout, above);
    // a link is followed to what it shows, and no further when that is elsewhere: it could be the whole disk
    if (real !== this.#inside && !real.startsWith(`${this.#inside}${sep}`)) return;
    const scope = {
      bundle: layout.bundle === undefined ? above.bundle : join(directory, layout.bundle),
      crls: layout.crls.length === 0 ? above.crls : layout.crls.map((name) => join(directory, name)),
      base: above.base,
    };
    const below = entries.filter((entry) => !isPassedOver(entry.name) && isDirectoryAt(directory, entry));
    // what a directory is called comes before what a link to it is called
    for (const entry of [...below.filter((each) => each.isDirectory()), ...below.filter((each) => !each.isDirectory())]) {
      const path = join(directory, entry.name);
      if (depth === this.#limits.depth) this.#overflow('depth', `more than ${depth} directories deep: ${path} is not looked into`, path);
      else if (!this.#overflown.has('services') && !this.#overflown.has('entries')) this.#enter(path, scope, depth + 1);
    }
  }

  #note(directory: string, { services, bundle, crls }: Layout, above: Scope): void {
    for (const layout of services) {
      if (this.places.length === this.#limits.services) {
        const message = `more than ${this.#limits.services} services: those from ${directory} on are not looked at`;
        return this.#overflow('services', message, directory);
      }
      const own = { path: join(directory, bundle ?? ''), shared: false };
      this.places.push({
        ...{ name: '', directory, layout, base: above.base },
        bundle: bundle !== undefined ? own : above.bundle === undefined ? undefined : { path: above.bundle, shared: true },
        crls:
          crls.length > 0
            ? crls.map((name) => ({ path: join(directory, name), shared: false }))
            : above.crls.map((path) => ({ path, shared: true })),
      });
    }
  }

  #list(directory: string): fs.Dirent[] {
    const entries: fs.Dirent[] = [];
    reading(directory, this.findings, () =>
      attempt(directory, () => {
        const handle = fs.opendirSync(directory);
        try {
          for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
            if (++this.#entries > this.#limits.entries) {
              const message = `more than ${this.#limits.entries} files: the rest is not looked at, from ${directory} on`;
              // half of a directory would look like services with files missing
              entries.length = 0;
              return this.#overflow('entries', message, directory);
            }
            entries.push(entry);
          }
        } finally {
          handle.closeSync();
        }
      }),
    );
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #authorityOf(workspace: string): Pick<Scope, 'bundle' | 'crls'> {
    const authority = join(workspace, 'authority');
    const names = this.#list(authority).map(({ name }) => name);
    return {
      bundle: names.includes('bundle.pem') ? join(authority, 'bundle.pem') : undefined,
      crls: layoutOf(names).crls.map((name) => join(authority, name)),
    };
  }

  /** Told once: there may be thousands. */
  #overflow(limit: keyof TreeLimits, message: string, path: string): void {
    if (!this.#overflown.has(limit)) this.findings.push(error('TREE_LIMIT', message, path));
    this.#overflown.add(limit);
  }
}

/** `..data` and what it points to are read through the links beside them; `.git` and the like hold no services. */
const isPassedOver = (name: string): boolean => name.startsWith('.') && name !== '.mtls';

const WORKSPACE = ['workspace.json', 'authority', 'services'];
const isWorkspace = (names: readonly string[]): boolean => WORKSPACE.every((name) => names.includes(name));

function isDirectoryAt(directory: string, entry: fs.Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return fs.statSync(join(directory, entry.name)).isDirectory();
  } catch {
    // a link into nothing is no directory; when it is a file of a service, reading that says so
    return false;
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw readError(path, thrown);
  }
}

/** Names by which people know them: the path from the root or from a workspace's services, longer where two would share one. */
function named(places: readonly Unnamed[], root: string): Place[] {
  const short = places.map((place) => nameFrom(place.base, place));
  const counts = new Map<string, number>();
  for (const name of short) counts.set(name, (counts.get(name) ?? 0) + 1);
  return places.map(({ base: _base, ...place }, i) => ({
    ...place,
    name: counts.get(short[i]!) === 1 ? short[i]! : relative(root, join(place.directory, place.layout.certificate)).split(sep).join('/'),
  }));
}

function nameFrom(base: string, { directory, layout: { stem } }: Place): string {
  const path = relative(base, directory).split(sep).join('/');
  if (stem === undefined || stem === basename(directory)) return path === '' ? basename(resolve(directory)) : path;
  return path === '' ? stem : `${path}/${stem}`;
}
