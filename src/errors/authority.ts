import { entry, EXIT, few, type InFile, inPath, type PolicyViolation, shellWord } from './entry.js';

const ROTATION_STATES = {
  steady: 'no rotation is under way',
  prepared: 'a new root is prepared, and does not sign yet',
  activated: 'the new root signs, and the old one is still trusted',
} as const;

/** What can go wrong with a workspace, its CAs, its ledger and its policy. */
export const AUTHORITY_ERRORS = {
  // ---- the workspace
  WORKSPACE_NOT_FOUND: entry<{ searched: string }>({
    when: 'No .mtls directory in the current directory or any above it.',
    message: (f) => `no workspace: no .mtls in ${f.searched} or any directory above it`,
    hints: () => ['mtls init'],
  }),
  WORKSPACE_EXISTS: entry<InFile>({
    when: 'init was asked to make a workspace where one is.',
    message: (f) => `there is a workspace already: ${f.path}`,
    hints: () => ['mtls list', 'or make one elsewhere: name another directory with --workspace'],
  }),
  WORKSPACE_INVALID: entry<InFile & { problems: readonly string[]; remedies?: readonly string[] }>({
    when: 'workspace.json, or the files beside it, are not what mtls writes.',
    message: (f) => `${f.path}: ${f.problems.join('; ')}`,
    hints: (f) => f.remedies ?? [`cat ${shellWord(f.path)}`, 'put it back from a backup'],
  }),
  WORKSPACE_TOO_NEW: entry<InFile & { found: number; supported: number }>({
    when: 'A newer mtls wrote this workspace.',
    message: (f) => `${f.path} is of version ${f.found}, this mtls reads version ${f.supported}`,
    hints: () => ['use the mtls that made it, or a newer one than this'],
  }),
  WORKSPACE_LOCKED: entry<InFile & { holder: string; waitedMs: number }>({
    when: 'Another process holds the lock of the workspace for longer than we wait.',
    message: (f) => `the workspace is locked by ${f.holder}; waited ${(f.waitedMs / 1000).toFixed(0)} s for ${f.path}`,
    hints: (f) => [`cat ${shellWord(f.path)}`, 'when no mtls runs there any more, remove that file'],
  }),
  LEDGER_CORRUPT: entry<InFile & { line?: number; problem: string }>({
    when: 'A line of the ledger is not what mtls writes, or lines are missing. Nothing is listed or revoked by it, and no CRL signed.',
    message: (f) => `${f.path}${f.line === undefined ? '' : ` line ${f.line}`}: ${f.problem}`,
    hints: (f) =>
      f.line === undefined
        ? ['put the ledger back from a backup: what it says is nowhere else']
        : [`sed -n ${f.line}p ${shellWord(f.path)}`, 'put the ledger back from a backup, or that line as it was'],
  }),
  SERVICE_NOT_FOUND: entry<{ name: string; known: readonly string[] }>({
    when: 'No service of that name in the workspace.',
    message: (f) => `no service ${f.name}; ${f.known.length === 0 ? 'none was issued yet' : `there is: ${few(f.known)}`}`,
    hints: (f) => [`mtls issue ${shellWord(f.name)}`],
  }),
  NOT_RENEWABLE: entry<{ name: string; why: string; remedy: string }>({
    when: 'A certificate cannot be renewed by itself: its key is elsewhere, it was revoked, or the ledger does not know it.',
    message: (f) => `${f.name} cannot be renewed: ${f.why}`,
    hints: (f) => [f.remedy],
  }),
  HOOK_FAILED: entry<{ hook: string; problem: string }>({
    when: 'What was to be run or signalled after a renewal failed. The new files are in place.',
    message: (f) => `after the renewal, ${f.hook} ${f.problem}; the new files are in place`,
    exit: EXIT.bad,
  }),
  SERVICE_NAMESPACE: entry<{ name: string; found: string; asked: string }>({
    when: 'A service of that name exists in another namespace; issuing would overwrite its key.',
    message: (f) => `${f.name} is a service of namespace ${f.found}, not ${f.asked}; a workspace has one service of a name`,
    hints: (f) => [`mtls issue ${f.name} --namespace ${f.found}`, `mtls issue ${f.name}-${f.asked} --namespace ${f.asked}`],
  }),
  SERIAL_NOT_FOUND: entry<{ serial: string; elsewhere?: readonly string[] }>({
    when: 'No certificate of that serial number or service name in the ledger.',
    message: (f) => `the ledger has no certificate ${f.serial}`,
    hints: (f) =>
      f.elsewhere === undefined ? ['mtls list --all'] : [`to any directory: mtls import ${f.elsewhere.map(shellWord).join(' ')} --out DIR`],
  }),
  ISSUER_EXPIRED: entry<{ notAfter: string; now: string }>({
    when: 'The CA certificate is out of date and can sign nothing more.',
    message: (f) => `the CA certificate ended ${f.notAfter}, now is ${f.now}`,
    hints: () => ['date -u', 'if the clock is right: a new workspace, whose root everyone must be given'],
  }),

  CA_RETIRED: entry<{ name: string; issuer: string }>({
    when: 'A certificate is to be revoked, or released, whose CA was retired or has ended: nobody trusts it any more.',
    message: (f) =>
      `the certificate of ${f.name} was signed by a CA that is trusted no more (key ${f.issuer.slice(0, 8)}): there is nothing to revoke`,
    hints: () => ['mtls list --all'],
  }),
  ROTATION_NEEDS_KEY: entry<{ name: string; path: string; isBurnt: boolean }>({
    when: 'The next root is to be certified by the one before, whose key is not in the workspace.',
    message: (f) => `the key of ${f.name} is needed to certify the next root, and it is not here: ${f.path}`,
    hints: (f) => [
      ...(f.isBurnt ? [] : ['mtls authority unseal FILE']),
      'without it, who knows only the old root will refuse new certificates: mtls authority rotate prepare --no-cross-sign',
    ],
  }),
  ROOT_NOT_OURS: entry<{ name: string }>({
    when: "A root is to be rotated that is somebody else's: its key was never in the workspace.",
    message: (f) => `${f.name} was never ours: whoever has its key rotates it`,
    hints: () => ['what they sign then: mtls authority install CERT --chain ROOT --crl CRL'],
  }),
  ROTATION_STATE: entry<{ step: string; state: 'steady' | 'prepared' | 'activated'; roots: readonly string[] }>({
    when: 'A step of the rotation of a root is not the next one.',
    message: (f) => `${f.step} is not the next step: ${ROTATION_STATES[f.state]}`,
    hints: (f) => [
      { steady: 'mtls authority rotate prepare', prepared: 'mtls authority rotate activate', activated: 'mtls authority rotate retire' }[
        f.state
      ],
      `mtls inspect ${f.roots.map(shellWord).join(' ')}`,
    ],
  }),
  NOT_ON_HOLD: entry<{ target: string }>({
    when: 'A hold is to be lifted, and the certificate is not on hold: revoked for good, or not at all.',
    message: (f) => `${f.target} is not on hold; only certificateHold can be lifted`,
    hints: () => ['mtls list --all'],
  }),
  ISSUED_NOT_GOOD: entry<{ name: string; problems: readonly string[] }>({
    when: 'What was signed would be refused by a careful peer. It was not let out.',
    message: (f) => `the certificate of ${f.name} would not be good, and was not issued: ${f.problems.join('; ')}`,
    hints: () => ['mtls doctor'],
  }),
  IMPORT_NOT_FIT: entry<{ path: string; problems: readonly string[]; remedy?: string }>({
    when: 'What is to be imported is not one certificate of a service with its key and a chain that holds. Nothing was written.',
    message: (f) => `${f.path} cannot be imported: ${f.problems.join('; ')}`,
    hints: (f) => [f.remedy ?? `mtls inspect ${shellWord(f.path)}`],
    exit: EXIT.bad,
  }),
  SMOKE_FAILED: entry<{ path: string; problem: string }>({
    when: 'A handshake over loopback with the new files of a service failed. They are in place all the same.',
    message: (f) => `a handshake with ${f.path} failed: ${f.problem}`,
    hints: () => ['mtls doctor'],
    exit: EXIT.bad,
  }),
  NAME_NOT_PERMITTED: entry<{ name: string; problem: string; by: string }>({
    when: 'A name that the CA may not sign, by its name constraints or those of a CA above it.',
    message: (f) => `${f.name}: ${f.problem}, by the name constraints of ${f.by}`,
    hints: () => ['mtls inspect .mtls/authority/root.crt'],
  }),

  // ---- the policy of the workspace
  POLICY_INVALID: entry<InFile & { problems: readonly string[] }>({
    when: 'The policy of the workspace, or a profile, is not what it must be. Nothing is issued by it.',
    message: (f) => `${f.path}: ${f.problems.join('; ')}`,
    hints: (f) => [`cat ${shellWord(f.path)}`],
  }),
  POLICY_REFUSES: entry<{ name: string; path?: string; violations: readonly PolicyViolation[] }>({
    when: 'A certificate was asked for that the policy of the workspace, or its profile, does not allow.',
    message: (f) => `${f.name}: ${f.violations.map(({ message }) => message).join('; ')}${inPath(f.path)}`,
    hints: (f) => (f.path === undefined ? [] : [`cat ${shellWord(f.path)}`]),
  }),
  PROFILE_NOT_FOUND: entry<{ name: string; known: readonly string[]; meant?: string }>({
    when: 'No profile of that name is built in, or a file of the workspace.',
    message: (f) => `no profile ${f.name}; there is: ${few(f.known)}`,
    hints: (f) => (f.meant === undefined ? ['ls .mtls/profiles'] : [`did you mean ${f.meant}?`]),
  }),
  CSR_ASKS_BEYOND: entry<InFile & { asked: readonly string[]; flags: readonly string[] }>({
    when: 'A certification request asks for more than is granted: a name, a purpose, to be a CA. Nothing that it asks for is passed over.',
    message: (f) => `${f.path} asks for what is not granted: ${few(f.asked)}`,
    hints: (f) => [
      ...(f.flags.length === 0 ? [] : [`to grant ${f.flags.length === f.asked.length ? 'it' : 'the names'} add: ${f.flags.join(' ')}`]),
      ...(f.flags.length === f.asked.length ? [] : ['make the request again without what cannot be granted']),
    ],
  }),
} as const;
