// What verifying certificates cannot cost less than: their signatures, with nothing read but what is signed.
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [spki, ...lines] = readFileSync(process.argv[2], 'utf8').trim().split('\n');
const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
for (const line of lines) {
  const [tbs, signature] = line.split(' ');
  if (!verify('sha256', Buffer.from(tbs, 'base64'), key, Buffer.from(signature, 'base64')))
    throw new Error('a signature that does not hold');
}
