import { expect, test } from 'vitest';
import { parseCoreDnsMetrics } from '../../src/coredns/metrics.ts';

const hash = '3d7f';

test('what CoreDNS 1.12.3 prints after a reload', () => {
  const text = `# HELP coredns_reload_failed_total Counter of the number of failed reload attempts.
# TYPE coredns_reload_failed_total counter
coredns_reload_failed_total 2
# HELP coredns_reload_version_info A metric with a constant '1' value labeled by hash, and value which type of hash generated.
# TYPE coredns_reload_version_info gauge
coredns_reload_version_info{hash="sha512",value="${hash}"} 1
`;
  expect(parseCoreDnsMetrics(text)).toEqual({ reloadsFailed: 2, configHash: hash });
});

test.each([
  ['', undefined],
  ['coredns_reload_failed_total 0\n', undefined],
  [`coredns_reload_version_info{value="${hash}",hash="sha512"} 1 1700000000000\r\n`, hash],
  [`coredns_reload_version_info { value = "${hash}" , hash="sha512", } 1.0`, hash],
  [`coredns_reload_version_info{a="x\\"}\\\\",value="${hash}",hash="sha512"} 1`, hash],
  [`coredns_reload_version_info{hash="md5",value="${hash}"} 1`, undefined],
  [`coredns_reload_version_info{hash="sha512",value="${hash}"} 0`, undefined],
  [`# coredns_reload_version_info{hash="sha512",value="${hash}"} 1`, undefined],
  [`my_coredns_reload_version_info{hash="sha512",value="${hash}"} 1`, undefined],
  [`coredns_reload_version_info{hash="sha512",value="a\\nb"} 1`, 'a\nb'],
])('the hash in %j', (text, configHash) => {
  expect(parseCoreDnsMetrics(text).configHash).toBe(configHash);
});

test.each([
  ['coredns_reload_failed_total 1e+01', 10],
  ['coredns_reload_failed_total{} 3', 3],
  ['coredns_reload_failed_total{server="a b"} 3', 3],
  ['coredns_reload_failed_total three', undefined],
  ['coredns_reload_failed_total', undefined],
])('the failures in %j', (text, reloadsFailed) => {
  expect(parseCoreDnsMetrics(text).reloadsFailed).toBe(reloadsFailed);
});

test('a long line that is none does not hold it up', () => {
  const text = `a{${'b="c",'.repeat(50_000)}\n${'{"'.repeat(50_000)}\n${'a '.repeat(50_000)}`;
  expect(parseCoreDnsMetrics(text)).toEqual({ reloadsFailed: undefined, configHash: undefined });
});
