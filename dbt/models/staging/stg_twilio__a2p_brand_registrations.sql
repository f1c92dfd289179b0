{{ staged('a2p_brand_registrations', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['brand_type', 'text'],
  ['status', 'text'],
  ['identity_status', 'text'],
  ['failure_reason', 'text']
]) }}
