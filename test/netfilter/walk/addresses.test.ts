import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Family } from '../../../src/netfilter/ruleset.ts';
import {
  addressRange,
  isWithin,
  parseAddress,
  parseNetwork,
  prefixLength,
  printAddress,
} from '../../../src/netfilter/walk/addresses.ts';

const bytes = (family: Family) => {
  const length = family === 'ipv4' ? 4 : 16;
  return fc.uint8Array({ minLength: length, maxLength: length });
};

/** Long runs of zeros are what printing gets wrong. */
const groups = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65535 })), { minLength: 8, maxLength: 8 })
  .map((all) => Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255])));

test('an address is read back as it was printed', () => {
  const isRead = (family: Family) => (address: Uint8Array) => {
    expect(parseAddress(printAddress(address), family)).toEqual(address);
  };
  fc.assert(fc.property(bytes('ipv4'), isRead('ipv4')));
  fc.assert(fc.property(groups, isRead('ipv6')));
});

test.each([
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['::1', '::1'],
  ['fe80:0:0:0:0:0:0:0', 'fe80::'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
])('%s is printed as %s', (text, printed) => {
  const address = parseAddress(text, 'ipv6');
  expect(address && printAddress(address)).toBe(printed);
});

test.each<[string, Family]>([
  ['1.2.3', 'ipv4'],
  ['1.2.3.256', 'ipv4'],
  ['1.2.3.4', 'ipv6'],
  ['::1', 'ipv4'],
  ['1::2::3', 'ipv6'],
  ['1:2:3:4:5:6:7:8:9', 'ipv6'],
  ['1:2:3:4:5:6:7', 'ipv6'],
  ['1:2:3:4:5:6:7:8::', 'ipv6'],
  ['fe80::1%eth0', 'ipv6'],
  ['', 'ipv6'],
  ['', 'ipv4'],
])('%j is no address of %s', (text, family) => {
  expect(parseAddress(text, family)).toBeUndefined();
});

test('a network holds the addresses that agree with it where its mask has ones', () => {
  fc.assert(
    fc.property(bytes('ipv4'), bytes('ipv4'), bytes('ipv4'), (address, base, mask) => {
      const network = parseNetwork(`${printAddress(base)}/${printAddress(mask)}`, 'ipv4');
      const agrees = address.every((byte, i) => ((byte ^ (base[i] ?? 0)) & (mask[i] ?? 0)) === 0);
      expect(network && isWithin(address, network)).toBe(agrees);
    }),
  );
});

test('a length stands for as many ones in front', () => {
  fc.assert(
    fc.property(groups, fc.integer({ min: 0, max: 128 }), (address, length) => {
      const network = parseNetwork(`${printAddress(address)}/${length}`, 'ipv6');
      expect(network && prefixLength(network)).toBe(length);
      expect(network && isWithin(address, network)).toBe(true);
    }),
  );
  expect(parseNetwork('10.0.0.0/33', 'ipv4')).toBeUndefined();
  const holes = parseNetwork('10.0.0.5/255.0.0.255', 'ipv4');
  expect(holes && prefixLength(holes)).toBeUndefined();
});

test('a range is all addresses between its ends, unless they are too many', () => {
  const range = (from: string, to: string) => {
    const [first, last] = [parseAddress(from, 'ipv4'), parseAddress(to, 'ipv4')];
    return first && last && addressRange(first, last, 4)?.map(printAddress);
  };
  expect(range('10.0.0.254', '10.0.1.1')).toEqual(['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1']);
  expect(range('10.0.0.1', '10.0.0.5')).toBeUndefined();
  expect(range('10.0.0.2', '10.0.0.1')).toBeUndefined();
});
