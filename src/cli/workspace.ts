// not the index: a command loads what it needs
import { type Workspace, openWorkspace } from '../authority/workspace.js';
import { workspaceFlag } from './flags.js';
import { type PassphraseFlags, type PassphraseSource, passphraseFlags, passphraseSource } from './passphrase.js';

/** The workspace, and where the passphrases of its CAs' keys come from. */
export const authorityFlags = { workspace: workspaceFlag, ...passphraseFlags };

export interface AuthorityFlags extends PassphraseFlags {
  readonly workspace?: string | undefined;
}

/** The workspace of a command that signs: it asks for a passphrase when it meets a key that needs one. Throws what opening it throws. */
export function openAuthority(flags: AuthorityFlags, source: (flags: PassphraseFlags) => PassphraseSource = passphraseSource): Workspace {
  return openWorkspace(flags.workspace, process.cwd(), source(flags));
}
