import { certMalformed } from './rules/bytes/cert-malformed.js';
import { crlMalformed } from './rules/bytes/crl-malformed.js';
import { notDer } from './rules/bytes/not-der.js';
import { algorithmMismatch } from './rules/certificate/algorithm-mismatch.js';
import { caSubjectEmpty } from './rules/certificate/ca-subject-empty.js';
import { certEndsSoon } from './rules/certificate/cert-ends-soon.js';
import { certExpired } from './rules/certificate/cert-expired.js';
import { certNotYetValid } from './rules/certificate/cert-not-yet-valid.js';
import { emptySubjectWithoutCriticalSan } from './rules/certificate/empty-subject-without-critical-san.js';
import { issuerEmpty } from './rules/certificate/issuer-empty.js';
import { issuerEncodingDiffers } from './rules/certificate/issuer-encoding-differs.js';
import { outlivesIssuer } from './rules/certificate/outlives-issuer.js';
import { serialGuessable } from './rules/certificate/serial-guessable.js';
import { serialNegative } from './rules/certificate/serial-negative.js';
import { serialTooLong } from './rules/certificate/serial-too-long.js';
import { serialZero } from './rules/certificate/serial-zero.js';
import { signatureInvalid } from './rules/certificate/signature-invalid.js';
import { signatureParameters } from './rules/certificate/signature-parameters.js';
import { timeEncoding } from './rules/certificate/time-encoding.js';
import { uniqueId } from './rules/certificate/unique-id.js';
import { validityOrder } from './rules/certificate/validity-order.js';
import { versionNot3 } from './rules/certificate/version-not-3.js';
import { weakSignature } from './rules/certificate/weak-signature.js';
import { withoutEnd } from './rules/certificate/without-end.js';
import { chainDuplicate } from './rules/chain/chain-duplicate.js';
import { chainGap } from './rules/chain/chain-gap.js';
import { chainKeyShared } from './rules/chain/chain-key-shared.js';
import { chainOrder } from './rules/chain/chain-order.js';
import { chainUnrelated } from './rules/chain/chain-unrelated.js';
import { chainWithRoot } from './rules/chain/chain-with-root.js';
import { pathLengthExceeded } from './rules/chain/path-length-exceeded.js';
import { crlAkiCritical } from './rules/crl/crl-aki-critical.js';
import { crlAkiMissing } from './rules/crl/crl-aki-missing.js';
import { crlAlgorithmMismatch } from './rules/crl/crl-algorithm-mismatch.js';
import { crlEntryInFuture } from './rules/crl/crl-entry-in-future.js';
import { crlEntryUnknownCritical } from './rules/crl/crl-entry-unknown-critical.js';
import { crlExpired } from './rules/crl/crl-expired.js';
import { crlExtensionMalformed } from './rules/crl/crl-extension-malformed.js';
import { crlExtensionUnknownCritical } from './rules/crl/crl-extension-unknown-critical.js';
import { crlFreshestWrong } from './rules/crl/crl-freshest-wrong.js';
import { crlIssuerEmpty } from './rules/crl/crl-issuer-empty.js';
import { crlLifeTooLong } from './rules/crl/crl-life-too-long.js';
import { crlListEmpty } from './rules/crl/crl-list-empty.js';
import { crlNextUpdateMissing } from './rules/crl/crl-next-update-missing.js';
import { crlNotYetValid } from './rules/crl/crl-not-yet-valid.js';
import { crlNumberCritical } from './rules/crl/crl-number-critical.js';
import { crlNumberForm } from './rules/crl/crl-number-form.js';
import { crlNumberMissing } from './rules/crl/crl-number-missing.js';
import { crlReasonCritical } from './rules/crl/crl-reason-critical.js';
import { crlReasonRemove } from './rules/crl/crl-reason-remove.js';
import { crlReasonUnknown } from './rules/crl/crl-reason-unknown.js';
import { crlReasonUnspecified } from './rules/crl/crl-reason-unspecified.js';
import { crlScopeNotCritical } from './rules/crl/crl-scope-not-critical.js';
import { crlSerialNotPositive } from './rules/crl/crl-serial-not-positive.js';
import { crlTimeEncoding } from './rules/crl/crl-time-encoding.js';
import { crlUpdateOrder } from './rules/crl/crl-update-order.js';
import { crlVersion } from './rules/crl/crl-version.js';
import { crlWeakSignature } from './rules/crl/crl-weak-signature.js';
import { accessCritical } from './rules/extension/access-critical.js';
import { aiaWithoutUri } from './rules/extension/aia-without-uri.js';
import { akiCritical } from './rules/extension/aki-critical.js';
import { akiIssuerAlone } from './rules/extension/aki-issuer-alone.js';
import { akiMissing } from './rules/extension/aki-missing.js';
import { akiOfAnother } from './rules/extension/aki-of-another.js';
import { akiWithoutKey } from './rules/extension/aki-without-key.js';
import { basicConstraintsNotCritical } from './rules/extension/basic-constraints-not-critical.js';
import { caKeyUsageMissing } from './rules/extension/ca-key-usage-missing.js';
import { caSkiMissing } from './rules/extension/ca-ski-missing.js';
import { caWithoutCertSign } from './rules/extension/ca-without-cert-sign.js';
import { caWithoutCrlSign } from './rules/extension/ca-without-crl-sign.js';
import { cdpCritical } from './rules/extension/cdp-critical.js';
import { cdpWithoutPlace } from './rules/extension/cdp-without-place.js';
import { cdpWithoutUri } from './rules/extension/cdp-without-uri.js';
import { certSignWithoutCa } from './rules/extension/cert-sign-without-ca.js';
import { ekuAnyCritical } from './rules/extension/eku-any-critical.js';
import { ekuTwice } from './rules/extension/eku-twice.js';
import { encipherOnlyAlone } from './rules/extension/encipher-only-alone.js';
import { extensionMalformed } from './rules/extension/extension-malformed.js';
import { extensionOfNetscape } from './rules/extension/extension-of-netscape.js';
import { extensionUnknownCritical } from './rules/extension/extension-unknown-critical.js';
import { freshestCrlCritical } from './rules/extension/freshest-crl-critical.js';
import { inhibitAnyPolicyNotCritical } from './rules/extension/inhibit-any-policy-not-critical.js';
import { issuerAltNameCritical } from './rules/extension/issuer-alt-name-critical.js';
import { keyUsageEmpty } from './rules/extension/key-usage-empty.js';
import { keyUsageNotCritical } from './rules/extension/key-usage-not-critical.js';
import { keyUsageTrailingZeros } from './rules/extension/key-usage-trailing-zeros.js';
import { keyUsageUnfit } from './rules/extension/key-usage-unfit.js';
import { nameConstraintForm } from './rules/extension/name-constraint-form.js';
import { nameConstraintsInLeaf } from './rules/extension/name-constraints-in-leaf.js';
import { nameConstraintsLeaveOpen } from './rules/extension/name-constraints-leave-open.js';
import { nameConstraintsNotCritical } from './rules/extension/name-constraints-not-critical.js';
import { nameConstraintsWide } from './rules/extension/name-constraints-wide.js';
import { pathLengthWithoutCa } from './rules/extension/path-length-without-ca.js';
import { policiesOfCaOnly } from './rules/extension/policies-of-ca-only.js';
import { policyConstraintsNotCritical } from './rules/extension/policy-constraints-not-critical.js';
import { policyMappingNotAsserted } from './rules/extension/policy-mapping-not-asserted.js';
import { policyMappingsAny } from './rules/extension/policy-mappings-any.js';
import { policyMappingsNotCritical } from './rules/extension/policy-mappings-not-critical.js';
import { policyQualifier } from './rules/extension/policy-qualifier.js';
import { skiCritical } from './rules/extension/ski-critical.js';
import { skiEmpty } from './rules/extension/ski-empty.js';
import { skiMissing } from './rules/extension/ski-missing.js';
import { curveSpelledOut } from './rules/key/curve-spelled-out.js';
import { curveUnusual } from './rules/key/curve-unusual.js';
import { keyParameters } from './rules/key/key-parameters.js';
import { keySlow } from './rules/key/key-slow.js';
import { pointCompressed } from './rules/key/point-compressed.js';
import { rsaExponentUnusual } from './rules/key/rsa-exponent-unusual.js';
import { rsaExponent } from './rules/key/rsa-exponent.js';
import { rsaModulusSize } from './rules/key/rsa-modulus-size.js';
import { rsaSmallFactor } from './rules/key/rsa-small-factor.js';
import { weakKey } from './rules/key/weak-key.js';
import { kubernetesNodeIdentity } from './rules/kubernetes/kubernetes-node-identity.js';
import { kubernetesServiceForm } from './rules/kubernetes/kubernetes-service-form.js';
import { kubernetesShortNameMissing } from './rules/kubernetes/kubernetes-short-name-missing.js';
import { kubernetesSystemMasters } from './rules/kubernetes/kubernetes-system-masters.js';
import { kubernetesUserMissing } from './rules/kubernetes/kubernetes-user-missing.js';
import { kubernetesWildcard } from './rules/kubernetes/kubernetes-wildcard.js';
import { caLifeTooLong } from './rules/mutual-tls/ca-life-too-long.js';
import { commonNameNotInSan } from './rules/mutual-tls/common-name-not-in-san.js';
import { digitalSignatureMissing } from './rules/mutual-tls/digital-signature-missing.js';
import { ekuAny } from './rules/mutual-tls/eku-any.js';
import { ekuMissing } from './rules/mutual-tls/eku-missing.js';
import { ekuNotOfIssuer } from './rules/mutual-tls/eku-not-of-issuer.js';
import { ekuUnfit } from './rules/mutual-tls/eku-unfit.js';
import { lifeTooLong } from './rules/mutual-tls/life-too-long.js';
import { localhostAndPublic } from './rules/mutual-tls/localhost-and-public.js';
import { sanMissing } from './rules/mutual-tls/san-missing.js';
import { selfSignedLeaf } from './rules/mutual-tls/self-signed-leaf.js';
import { serverWithoutName } from './rules/mutual-tls/server-without-name.js';
import { singleLabel } from './rules/mutual-tls/single-label.js';
import { wildcard } from './rules/mutual-tls/wildcard.js';
import { wildcardMisplaced } from './rules/mutual-tls/wildcard-misplaced.js';
import { wildcardWide } from './rules/mutual-tls/wildcard-wide.js';
import { dnAttributeTwice } from './rules/name/dn-attribute-twice.js';
import { dnAttributeType } from './rules/name/dn-attribute-type.js';
import { dnCountry } from './rules/name/dn-country.js';
import { dnEmailNotInSan } from './rules/name/dn-email-not-in-san.js';
import { dnEmptyValue } from './rules/name/dn-empty-value.js';
import { dnPrintableCharacters } from './rules/name/dn-printable-characters.js';
import { dnSeveralCommonNames } from './rules/name/dn-several-common-names.js';
import { dnSpaces } from './rules/name/dn-spaces.js';
import { dnStringType } from './rules/name/dn-string-type.js';
import { dnStringUnreadable } from './rules/name/dn-string-unreadable.js';
import { dnTooLong } from './rules/name/dn-too-long.js';
import { sanAddressOfNobody } from './rules/san/san-address-of-nobody.js';
import { sanCritical } from './rules/san/san-critical.js';
import { sanDnsForm } from './rules/san/san-dns-form.js';
import { sanDnsIsAddress } from './rules/san/san-dns-is-address.js';
import { sanDnsUnderscore } from './rules/san/san-dns-underscore.js';
import { sanEmailForm } from './rules/san/san-email-form.js';
import { sanNameTwice } from './rules/san/san-name-twice.js';
import { sanUriForm } from './rules/san/san-uri-form.js';
import { spiffeCaWithPath } from './rules/spiffe/spiffe-ca-with-path.js';
import { spiffeEku } from './rules/spiffe/spiffe-eku.js';
import { spiffeForeignTrustDomain } from './rules/spiffe/spiffe-foreign-trust-domain.js';
import { spiffeIdForm } from './rules/spiffe/spiffe-id-form.js';
import { spiffeIdMissing } from './rules/spiffe/spiffe-id-missing.js';
import { spiffeIdTooLong } from './rules/spiffe/spiffe-id-too-long.js';
import { spiffeKeyUsage } from './rules/spiffe/spiffe-key-usage.js';
import { spiffeLeafDoesNotSign } from './rules/spiffe/spiffe-leaf-does-not-sign.js';
import { spiffeLeafSignsForOthers } from './rules/spiffe/spiffe-leaf-signs-for-others.js';
import { spiffeLeafWithoutPath } from './rules/spiffe/spiffe-leaf-without-path.js';
import { spiffeUriNotAlone } from './rules/spiffe/spiffe-uri-not-alone.js';

/** All rules, in the order in which findings are told. */
export const LINT_RULES = [
  notDer,
  certMalformed,
  crlMalformed,
  versionNot3,
  serialZero,
  serialNegative,
  serialTooLong,
  serialGuessable,
  algorithmMismatch,
  signatureParameters,
  weakSignature,
  signatureInvalid,
  issuerEmpty,
  caSubjectEmpty,
  emptySubjectWithoutCriticalSan,
  validityOrder,
  timeEncoding,
  withoutEnd,
  uniqueId,
  certExpired,
  certNotYetValid,
  certEndsSoon,
  outlivesIssuer,
  issuerEncodingDiffers,
  weakKey,
  curveSpelledOut,
  curveUnusual,
  pointCompressed,
  keyParameters,
  rsaExponent,
  rsaExponentUnusual,
  rsaModulusSize,
  rsaSmallFactor,
  keySlow,
  dnStringType,
  dnStringUnreadable,
  dnPrintableCharacters,
  dnCountry,
  dnAttributeType,
  dnTooLong,
  dnEmptyValue,
  dnSpaces,
  dnAttributeTwice,
  dnSeveralCommonNames,
  dnEmailNotInSan,
  sanDnsForm,
  sanDnsUnderscore,
  sanDnsIsAddress,
  sanUriForm,
  sanEmailForm,
  sanAddressOfNobody,
  sanNameTwice,
  sanCritical,
  extensionMalformed,
  extensionUnknownCritical,
  extensionOfNetscape,
  basicConstraintsNotCritical,
  certSignWithoutCa,
  caWithoutCertSign,
  caWithoutCrlSign,
  caKeyUsageMissing,
  pathLengthWithoutCa,
  keyUsageNotCritical,
  keyUsageEmpty,
  keyUsageUnfit,
  encipherOnlyAlone,
  keyUsageTrailingZeros,
  caSkiMissing,
  skiMissing,
  skiCritical,
  skiEmpty,
  akiMissing,
  akiCritical,
  akiWithoutKey,
  akiIssuerAlone,
  akiOfAnother,
  policyQualifier,
  policiesOfCaOnly,
  policyConstraintsNotCritical,
  inhibitAnyPolicyNotCritical,
  policyMappingsNotCritical,
  policyMappingsAny,
  policyMappingNotAsserted,
  nameConstraintsNotCritical,
  nameConstraintsInLeaf,
  nameConstraintForm,
  nameConstraintsWide,
  nameConstraintsLeaveOpen,
  ekuAnyCritical,
  ekuTwice,
  cdpCritical,
  cdpWithoutPlace,
  cdpWithoutUri,
  freshestCrlCritical,
  accessCritical,
  aiaWithoutUri,
  issuerAltNameCritical,
  sanMissing,
  commonNameNotInSan,
  serverWithoutName,
  ekuMissing,
  ekuUnfit,
  ekuAny,
  ekuNotOfIssuer,
  digitalSignatureMissing,
  lifeTooLong,
  caLifeTooLong,
  selfSignedLeaf,
  wildcard,
  wildcardWide,
  wildcardMisplaced,
  singleLabel,
  localhostAndPublic,
  spiffeIdMissing,
  spiffeUriNotAlone,
  spiffeIdForm,
  spiffeIdTooLong,
  spiffeLeafWithoutPath,
  spiffeCaWithPath,
  spiffeKeyUsage,
  spiffeLeafDoesNotSign,
  spiffeLeafSignsForOthers,
  spiffeEku,
  spiffeForeignTrustDomain,
  kubernetesServiceForm,
  kubernetesShortNameMissing,
  kubernetesSystemMasters,
  kubernetesNodeIdentity,
  kubernetesUserMissing,
  kubernetesWildcard,
  chainOrder,
  chainWithRoot,
  chainDuplicate,
  chainGap,
  chainUnrelated,
  chainKeyShared,
  pathLengthExceeded,
  crlVersion,
  crlNumberMissing,
  crlNumberCritical,
  crlNumberForm,
  crlAkiMissing,
  crlAkiCritical,
  crlNextUpdateMissing,
  crlUpdateOrder,
  crlExpired,
  crlNotYetValid,
  crlLifeTooLong,
  crlTimeEncoding,
  crlWeakSignature,
  crlAlgorithmMismatch,
  crlIssuerEmpty,
  crlListEmpty,
  crlExtensionMalformed,
  crlExtensionUnknownCritical,
  crlScopeNotCritical,
  crlFreshestWrong,
  crlSerialNotPositive,
  crlReasonUnspecified,
  crlReasonRemove,
  crlReasonUnknown,
  crlReasonCritical,
  crlEntryInFuture,
  crlEntryUnknownCritical,
] as const;

/** The code of a finding; stable, part of the contract. */
export type LintCode = (typeof LINT_RULES)[number]['id'];
