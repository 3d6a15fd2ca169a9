/**
 * What a server that is not quite right does: `wrong-id` and `wrong-name` answer another question than was
 * asked, `truncates` answers in full over TCP alone, `slow` takes 1.2 s, `udp-only` refuses TCP, `nxdomain`
 * says of every name that there is none.
 */
export type Behaviour =
  | 'silent'
  | 'slow'
  | 'wrong-id'
  | 'wrong-name'
  | 'servfail'
  | 'refused'
  | 'nxdomain'
  | 'truncates'
  | 'udp-only';
