import { startHauntedNode } from '../ghosts/haunted-node.ts';
import { configure } from '../ghosts/run-doctor.ts';
import { bootDebian, type Debian } from './boot-debian.ts';
import { installUnits } from './install-units.ts';
import type { Image } from './prepare-image.ts';

export interface HauntedDebian extends Debian {
  /** The path of its crictl, which knows the node's pods. */
  readonly crictl: string;
}

/** What these ask of an API there is none to answer. */
const withoutCluster = { 'ufw-overlay': { mode: 'off' }, 'flannel-vtep': { mode: 'off' } };

/** A node that kube-proxy has left ghosts on, under a Debian with the product and its units installed. */
export async function startHauntedDebian(image: Image): Promise<HauntedDebian> {
  const node = await startHauntedNode();
  const debian = await bootDebian(node, image).catch(async (error: unknown) => {
    await node.stop();
    throw error;
  });
  const crictl = await debian.fakeCrictl(node.pods);
  await configure(debian, { commands: { crictl }, checks: withoutCluster });
  await installUnits(debian);
  const stop = async () => {
    await debian.stop();
    await node.stop();
  };
  return { ...debian, crictl, stop, [Symbol.asyncDispose]: stop };
}
