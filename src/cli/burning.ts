import type { Ca } from '../authority/index.js';
import { MtlsError } from '../errors.js';
import { labelOf } from '../pki/name.js';
import { isSomebodyThere } from './passphrase.js';

/** What cannot be undone is said twice: by both flags, or by typing the name of the root. Throws USAGE where there is nobody to type it. */
export async function confirmBurning({ certificate }: Ca, isSaid: boolean): Promise<void> {
  if (isSaid) return;
  const name = labelOf(certificate.subject);
  if (!isSomebodyThere()) {
    const problem = `the key of ${name} would be gone for good, and there is nobody to type that name`;
    throw new MtlsError('USAGE', { problem, hint: 'say it once more: mtls authority seal --burn-root --yes-burn-root' });
  }
  const { askToTypeName } = await import('./prompts.js');
  await askToTypeName('the key of the root will be gone for good', name);
}
