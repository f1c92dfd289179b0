{{ staged('messaging_service_phone_numbers', [
  ['service_sid', 'text'],
  ['account_sid', 'text'],
  ['phone_number', 'text', 'sender']
]) }}
