/** Run as a program in a pod of CoreDNS: waits until it calls itself ready, at most for 30 s. */
import { setTimeout as delay } from 'node:timers/promises';

const deadline = Date.now() + 30_000;
for (;;) {
  const isReady = await fetch('http://127.0.0.1:8181/ready').then(
    ({ ok }) => ok,
    () => false,
  );
  if (isReady || Date.now() > deadline) process.exit(isReady ? 0 : 1);
  await delay(50);
}
