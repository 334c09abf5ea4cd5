// As many certificates with their keys as asked for, by @peculiar/x509.
import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const root = await newKeys();
const dates = { notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) };
for (let i = 0; i < Number(process.argv[2]); i++) {
  const { publicKey } = await newKeys();
  const names = [
    { type: 'dns', value: `service${i}` },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'url', value: `spiffe://x/service${i}` },
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    ...{ ...dates, subject: `CN=service${i}`, issuer: 'CN=root', publicKey, signingKey: root.privateKey, signingAlgorithm: algorithm },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
    ],
  });
  if (certificate.rawData.byteLength < 300) throw new Error('no certificate');
}
