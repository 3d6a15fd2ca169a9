import type { PodIdentity } from './add-pod.ts';
import type { Place } from './create-place.ts';
import { writeFile } from './write-file.ts';

interface Sandbox extends Pick<PodIdentity, 'name' | 'namespace' | 'sandboxId'> {
  /** Default `SANDBOX_READY`. */
  readonly state?: 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
}

/** The sandboxes to list, an error to exit with, or no answer at all. */
export type CrictlAnswer = readonly Sandbox[] | { readonly fails: string } | 'hangs';

/** Puts a program on the node that knows `pods -o json` as crictl does. Returns its path. */
export async function fakeCrictl(node: Place, answer: CrictlAnswer): Promise<string> {
  const path = '/run/lab/crictl';
  await writeFile(node, { path, content: program(answer), mode: '755' });
  return path;
}

function program(answer: CrictlAnswer): string {
  if (answer === 'hangs') return '#!/bin/sh\nexec sleep infinity\n';
  if ('fails' in answer) return `#!/bin/sh\ncat >&2 <<'END'\n${answer.fails}\nEND\nexit 1\n`;
  const list = JSON.stringify({ items: answer.map(toItem) }, undefined, 2);
  return `#!/bin/sh
case " $* " in
*' pods '*' -o json '* | *' pods '*' --output json '* | *' pods '*json*) ;;
*) echo "no such call: crictl $*" >&2; exit 1 ;;
esac
cat <<'END'
${list}
END
`;
}

function toItem({ name, namespace, sandboxId, state = 'SANDBOX_READY' }: Sandbox): object {
  const uid = `${sandboxId.slice(0, 8)}-0000-4000-8000-${sandboxId.slice(8, 20)}`;
  return {
    id: sandboxId,
    metadata: { name, uid, namespace, attempt: 0 },
    state,
    createdAt: '1790000000000000000',
    labels: {
      'io.kubernetes.pod.name': name,
      'io.kubernetes.pod.namespace': namespace,
      'io.kubernetes.pod.uid': uid,
    },
    annotations: {},
    runtimeHandler: '',
  };
}
