{{ staged('accounts', [
  ['sid', 'text'],
  ['owner_account_sid', 'text'],
  ['friendly_name', 'text'],
  ['status', 'text']
]) }}
