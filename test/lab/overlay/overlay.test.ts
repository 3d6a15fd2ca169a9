/** The lab of two nodes itself: what the tests that stand on it take for granted. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { startDebianOverlay, startOverlay } from './start-overlay.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

it('joins pods of two nodes, both families, both protocols, both ways', async () => {
  await using overlay = await startOverlay({ isDualStack: true });
  const { first, second } = overlay;

  for (const [from, to, answer] of [
    [first.pod, second.pod, { body: 'pod-2' }],
    [second.pod, first.pod, { body: 'pod-1' }],
  ] as const) {
    for (const address of to.addresses) {
      expect(await from.http(address, 8080)).toMatchObject(answer);
      expect(await from.udp(address, 5353)).toMatchObject(answer);
    }
  }
  expect(first.pod.addresses).toEqual(['10.42.1.5', 'fd00:42:0:1::5']);
  const outside = ['ip', '-s', '-json', 'link', 'show', 'flannel.1'];
  expect(JSON.parse(await first.run(outside))).toMatchObject([{ stats64: { rx: { errors: 0 } } }]);
});

describeWithSystemd('an overlay with a Debian', () => {
  it('has UFW in the way of forwarding once that is on, and of the overlay itself', async () => {
    await using overlay = await startDebianOverlay(image);
    const { first, second } = overlay;
    const reach = () => second.pod.http('10.42.1.5', 8080, { timeoutMs: 300 });
    expect(await reach()).toMatchObject({ body: 'pod-1' });
    expect((await first.systemctl('is-active', 'firewalld')).stdout).toBe('inactive\n');

    await first.run(['ufw', '--force', 'enable']);
    expect(await reach()).toEqual({ ok: false, reason: 'timeout' });
    await first.run(['ufw', 'allow', 'proto', 'udp', 'from', '192.168.60.12', 'to', 'any', 'port', '8472']);
    expect(await reach()).toEqual({ ok: false, reason: 'timeout' });
    await first.run(['ufw', 'route', 'allow', 'to', '10.42.0.0/16']);
    expect(await reach()).toMatchObject({ body: 'pod-1' });
  });
});
