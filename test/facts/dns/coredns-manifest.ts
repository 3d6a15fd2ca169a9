/** In the shape of the manifest that k3s writes, by hand: several documents, comments, both ways to indent lists. */
export function corednsManifest(corefile: string): string {
  return `apiVersion: v1
kind: ServiceAccount
metadata:
  name: coredns
  namespace: kube-system
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns
  namespace: kube-system
data:
  Corefile: |
${corefile.replace(/^(?=.)/gm, '    ')}---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: coredns
  namespace: kube-system
  labels:
    kubernetes.io/name: "CoreDNS"
spec:
  #replicas: 1
  revisionHistoryLimit: 0
  template:
    metadata:
      labels:
        k8s-app: kube-dns
    spec:
      priorityClassName: "system-cluster-critical"
      tolerations:
        - key: "CriticalAddonsOnly"
          operator: "Exists"
      nodeSelector:
        kubernetes.io/os: linux
      containers:
      - name: coredns
        image: rancher/mirrored-coredns-coredns:1.12.3
        args: [ "-conf", "/etc/coredns/Corefile" ]
        resources: {limits: {memory: 170Mi}}
        # 0644 means what it means to who reads it
        mode: 0644
---
apiVersion: v1
kind: Service
metadata:
  name: kube-dns
  namespace: kube-system
  annotations:
    prometheus.io/port: "9153"
spec:
  clusterIP: 10.43.0.11
`;
}
