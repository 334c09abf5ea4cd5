// The fields of `mtls inspect --batch`, as far as @peculiar/x509 tells them.
import { readFileSync } from 'node:fs';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
  const certificate = new x509.X509Certificate(Buffer.from(JSON.parse(line).data, 'base64'));
  const { serialNumber, subject, issuer, notBefore, notAfter, signatureAlgorithm } = certificate;
  const extensions = certificate.extensions.map(({ type, critical }) => [type, critical]);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON();
  const usages = [
    certificate.getExtension(x509.KeyUsagesExtension)?.usages,
    certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages,
  ];
  const constraints = certificate.getExtension(x509.BasicConstraintsExtension);
  const text = JSON.stringify({
    serialNumber,
    subject,
    issuer,
    notBefore,
    notAfter,
    signatureAlgorithm,
    extensions,
    names,
    usages,
    ca: constraints?.ca,
  });
  if (text.length < 100) throw new Error(text);
}
