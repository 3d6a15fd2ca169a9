import type { Fact } from '../engine/fact.ts';
import { listeningFact } from './listening.ts';
import { isLoopbackOnly } from './listening-socket.ts';

/**
 * Whether k3s shares images between its nodes (Spegel): its port is open, and registries.yaml, without
 * which there is nothing to share, is there. That file may hold passwords: it is not read.
 */
export const embeddedRegistryFact: Fact<boolean> = {
  id: 'embedded-registry',
  async gather({ host, get }) {
    const listening = await get(listeningFact);
    if (listening.kind !== 'known') return false;
    const isOpen = listening.sockets.some(
      (socket) => socket.protocol === 'tcp' && socket.port === 5001 && !isLoopbackOnly(socket),
    );
    if (!isOpen) return false;
    const folder = await host.listDirectory('/etc/rancher/k3s');
    return folder?.some(({ name }) => name === 'registries.yaml') ?? false;
  },
};
