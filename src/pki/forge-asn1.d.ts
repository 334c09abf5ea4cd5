// node-forge's ASN.1 alone: loading the whole of it takes twice as long (bench/).
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge';
  const module: typeof asn1;
  export default module;
}
