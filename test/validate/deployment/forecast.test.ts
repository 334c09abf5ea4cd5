import assert from 'node:assert/strict';
import { OID } from '../../../src/pki/oids.js';
import { servicesIn } from '../../../src/validate/deployment/deployment.js';
import { forecast } from '../../../src/validate/deployment/forecast.js';
import { AT, DAY, HOUR, shifted } from '../../support/chains.js';
import { type Deployed, ca, crl, leaf, pem, secret, tree } from './support.js';

const root = ca('root');

describe('a forecast', () => {
  let deployed: Deployed;
  beforeEach(() => {
    deployed = tree();
  });
  afterEach(() => deployed.remove());

  /** `day what whose: services; links`, in the order of the timeline. */
  const ahead = (days = 90, later = 0): string[] => {
    const judged = deployed.judge(later);
    const endings = forecast(servicesIn(judged), judged.acceptance, { within: days * DAY });
    return endings.map(
      ({ ends, what, whose, services, links }) =>
        `${(ends - AT.getTime()) / DAY} ${what} ${whose}: ${services.map(({ name }) => name).join(' ')}; ${links}`,
    );
  };
  const day = (days: number) => ({ notAfter: shifted(days * DAY) });

  it('is empty when nothing ends', () => {
    deployed.write('api', secret(leaf('api', root), root));
    assert.deepEqual(ahead(), []);
  });

  it('has leaf, CA and CRL in the order in which they end, each with what rests on it', () => {
    const issuing = ca('issuing', { by: root, ...day(50) });
    const api = leaf('api', issuing, day(30));
    const lists = { 'crl.pem': crl(root) + crl(issuing, [], { nextUpdate: shifted(20 * DAY) }) };
    deployed.write('api', { ...secret(api, root), 'tls.crt': pem(api, issuing), ...lists });
    deployed.write('web', { ...secret(leaf('web', root, day(40)), root), ...lists });
    deployed.write('db', secret(leaf('db', root, day(60)), root));
    assert.deepEqual(ahead(), [
      '10 CRL root: api web; 6',
      '20 CRL issuing: api; 2',
      '30 leaf api: api; 4',
      '40 leaf web: web; 4',
      '50 CA issuing: api; 4',
      '60 leaf db: db; 4',
    ]);
    assert.deepEqual(ahead(15), ['10 CRL root: api web; 6']);
  });

  it('ends are inclusive, and so is the span', () => {
    deployed.write('api', secret(leaf('api', root, day(30)), root));
    assert.deepEqual([ahead(30), ahead(30 - 1 / 86_400)], [['30 leaf api: api; 0'], []]);
    assert.deepEqual(ahead(90, 30 * DAY), ['30 leaf api: api; 0']);
  });

  it('a trusted CA that nothing rests on takes nothing down', () => {
    deployed.write('api', secret(leaf('api', root), root, ca('spare', day(5))));
    assert.deepEqual(ahead(), ['5 CA spare: ; 0']);
  });

  it('what another path makes up for takes nothing down, until that ends too', () => {
    const issuing = ca('issuing', { by: root, ...day(10) });
    const renewed = ca('issuing', { by: root, key: issuing.key, ...day(20) });
    const api = leaf('api', issuing);
    deployed.write('api', { ...secret(api, root), 'tls.crt': pem(api, issuing, renewed) });
    assert.deepEqual(ahead(15), ['10 CA issuing: ; 0']);
    assert.deepEqual(ahead(), ['10 CA issuing: ; 0', '20 CA issuing: api; 0']);
  });

  it('a CRL that a newer one has taken the place of takes nothing down', () => {
    const api = leaf('api', root);
    const older = crl(root, [], { nextUpdate: shifted(5 * DAY) });
    deployed.write('api', { ...secret(api, root), 'crl.pem': older + crl(root) });
    assert.deepEqual(ahead(), ['5 CRL root: ; 0', '10 CRL root: api; 0']);
    deployed.write('api', { 'crl.pem': crl(root, [], { thisUpdate: shifted(-2 * DAY), nextUpdate: shifted(-DAY) }) + crl(root) });
    assert.deepEqual(ahead(), ['10 CRL root: api; 0']);
  });

  it('a root takes down only whom it alone vouches for, on the side that trusts it', () => {
    const far = ca('far', day(7));
    deployed.write('api', secret(leaf('api', root), root, far));
    deployed.write('far', secret(leaf('far', far), far, root));
    assert.deepEqual(ahead(), ['7 CA far: far; 2']);
  });

  it('a leaf that is client only has no links to itself', () => {
    deployed.write('api', secret(leaf('api', root), root));
    deployed.write('job', secret(leaf('job', root, { purposes: [OID.clientAuth], ...day(3) }), root));
    assert.deepEqual(ahead(), ['3 leaf job: job; 1']);
  });

  it('tells what has ended already, and not what is refused for another reason', () => {
    const late = leaf('late', root, { notAfter: shifted(-2 * DAY) });
    const revoked = leaf('revoked', root, day(30));
    deployed.write('late', secret(late, root));
    deployed.write('api', {
      ...secret(leaf('api', root), root),
      'crl.pem': crl(root, [], { thisUpdate: shifted(-DAY), nextUpdate: shifted(-HOUR) }),
    });
    deployed.write('revoked', { ...secret(revoked, root), 'crl.pem': crl(root, [revoked]) });
    const [first, second, ...rest] = ahead();
    assert.equal(first, '-2 leaf late: late; 4');
    assert.equal(second, `${-1 / 24} CRL root: api; 4`);
    assert.deepEqual(rest, ['10 CRL root: ; 4', '30 leaf revoked: ; 4']);
  });

  it('what two services share is told once', () => {
    const short = ca('short', day(4));
    deployed.write('api', secret(leaf('api', short), short));
    deployed.write('web', secret(leaf('web', short), short));
    const judged = deployed.judge();
    const [ending] = forecast(servicesIn(judged), judged.acceptance, { within: 5 * DAY });
    assert.deepEqual([ending!.heldBy, ending!.links, ending!.firstLinks.length], [2, 2, 2]);
  });
});
