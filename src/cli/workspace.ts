// not the index: a command loads what it needs
import { type Workspace, openWorkspace } from '../authority/workspace.js';
import { workspaceFlag } from './flags.js';
import { type PassphraseFlags, passphraseFlags, passphraseSource } from './passphrase.js';

/** The workspace, and where the passphrases of its CAs' keys come from. */
export const authorityFlags = { workspace: workspaceFlag, ...passphraseFlags };

/** The workspace of a command that signs: it asks for a passphrase when it meets a key that needs one. Throws what opening it throws. */
export function openAuthority(flags: PassphraseFlags & { readonly workspace?: string | undefined }): Workspace {
  return openWorkspace(flags.workspace, process.cwd(), passphraseSource(flags));
}
